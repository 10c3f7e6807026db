internal import NIOCore

/// Closes a connection that had no call for some time, whatever other frames arrive, or whose client does not read pending
/// data.
final class BoundedConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let idle: TimeAmount
    private let taking: TimeAmount
    private var channel: (any Channel)?
    private var calls = 0
    private var isStopping = false
    private var closing: Scheduled<Void>?
    private var watch: Scheduled<Void>?

    init(idle: TimeAmount, taking: TimeAmount) {
        self.idle = idle
        self.taking = taking
    }

    func handlerAdded(context: ChannelHandlerContext) {
        channel = context.channel
        wait()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        closing?.cancel()
        watch?.cancel()
        channel = nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            isStopping = true
            if calls == 0 { wait() }
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// NIO sends no read-complete for a read during which the connection closes, and NIOHTTP2 then keeps the streams, and with
    /// them the connection, forever.
    func channelInactive(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        context.fireChannelInactive()
    }

    /// A call whose response can't be written never reaches it.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        watch?.cancel()
        if !context.channel.isWritable { watchTaking(context.channel, left: .max) }
        context.fireChannelWritabilityChanged()
    }

    private func watchTaking(_ channel: any Channel, left: Int) {
        let this = NIOLoopBound(self, eventLoop: channel.eventLoop)
        watch = channel.eventLoop.scheduleTask(in: taking) {
            let now = (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
            if now >= left {
                channel.close(promise: nil)
            } else {
                this.value.watchTaking(channel, left: now)
            }
        }
    }

    func opened(_ stream: any Channel) {
        calls += 1
        closing?.cancel()
        let this = NIOLoopBound(self, eventLoop: stream.eventLoop)
        stream.closeFuture.whenComplete { _ in
            this.value.calls -= 1
            if this.value.calls == 0 { this.value.wait() }
        }
    }

    private func wait() {
        guard let channel else { return }
        closing?.cancel()
        let this = NIOLoopBound(self, eventLoop: channel.eventLoop)
        // The transport sends GOAWAY and closes once the client acknowledges it, which may be never.
        closing = channel.eventLoop.scheduleTask(in: isStopping ? .seconds(2) : idle) {
            if this.value.isStopping {
                channel.close(promise: nil)
            } else {
                channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
            }
        }
    }
}
