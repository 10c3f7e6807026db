internal import GRPCCore
internal import HTTPTypes
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2

/// The limits of gRPC's connections and calls that its transport lacks: how many connections, how long one may be silent, and
/// how long a message may take to come and an answer to be taken.
final class GRPCConnections: Sendable {
    private let most: Int
    private let idle: TimeAmount
    private let call: BoundedCall.Limits
    private let bodies: BodyReader
    private let log: RequestLog
    private let open = NIOLockedValueBox(0)

    /// - Parameters:
    ///   - most: connections at once.
    ///   - idle: after which a client without calls is asked to go. The transport's own timer for that (`maxIdleTime`) is not
    ///     used: it keeps each connection's handler in memory for good.
    init(most: Int, idle: Duration, call: BoundedCall.Limits, bodies: BodyReader, log: RequestLog) {
        self.most = most
        self.idle = TimeAmount(idle)
        self.call = call
        self.bodies = bodies
        self.log = log
    }

    func accepted(_ channel: any Channel) -> EventLoopFuture<Void> {
        let count = open.withLockedValue { open in
            open += 1
            return open
        }
        channel.closeFuture.whenComplete { _ in self.open.withLockedValue { $0 -= 1 } }
        guard count <= most else { return channel.close() }
        return channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(
                BoundedConnection(idle: idle, taking: TimeAmount(call.timeout)), position: .first)
        }
    }

    /// - Parameter stream: a call's.
    func opened(_ stream: any Channel) -> EventLoopFuture<Void> {
        stream.eventLoop.makeCompletedFuture {
            let connection = try stream.parent?.pipeline.syncOperations.handler(type: BoundedConnection.self)
            connection?.opened(stream)
            try stream.pipeline.syncOperations.addHandler(
                BoundedCall(call, lease: bodies.lease(), log: log), position: .first)
        }
    }
}

/// Closes a connection on which there has been no call for some time, whatever else comes, or whose client takes nothing of
/// what is to be sent.
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

    /// NIO ends no read in which the connection closes, and NIOHTTP2 keeps the streams of an unended read for good, and with
    /// them the connection.
    func channelInactive(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        context.fireChannelInactive()
    }

    /// A call whose answer cannot be written never gets to it.
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
        // The transport says goodbye and closes when the client has heard it, which is soon, or never.
        closing = channel.eventLoop.scheduleTask(in: isStopping ? .seconds(2) : idle) {
            if this.value.isStopping {
                channel.close(promise: nil)
            } else {
                channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
            }
        }
    }
}
