#if Server
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
        private let bodyTimeout: Duration
        private let bodies: BodyReader
        private let log: RequestLog
        private let open = NIOLockedValueBox(0)

        /// - Parameters:
        ///   - most: connections at once.
        ///   - idle: after which the transport asks a client without calls to go.
        ///   - bodyTimeout: for a message to come whole, and for an answer to be taken.
        init(most: Int, idle: Duration, bodyTimeout: Duration, bodies: BodyReader, log: RequestLog) {
            self.most = most
            // The transport closes the connection only when the client has confirmed that.
            self.idle = TimeAmount(idle) + .seconds(5)
            self.bodyTimeout = bodyTimeout
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
                    BoundedConnection(idle: idle, taking: TimeAmount(bodyTimeout)), position: .first)
            }
        }

        /// - Parameter stream: a call's.
        func opened(_ stream: any Channel) -> EventLoopFuture<Void> {
            stream.eventLoop.makeCompletedFuture {
                let connection = try stream.parent?.pipeline.syncOperations.handler(type: BoundedConnection.self)
                connection?.opened(stream)
                try stream.pipeline.syncOperations.addHandler(
                    BoundedCall(within: bodyTimeout, lease: bodies.lease(), log: log), position: .first)
            }
        }
    }

    /// Closes a connection on which there has been no call for some time, whatever else comes, or whose client takes nothing of
    /// what is to be sent.
    private final class BoundedConnection: ChannelInboundHandler {
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
            // The transport says goodbye and closes when the client has heard it, which is soon, or never.
            closing = channel.eventLoop.scheduleTask(in: isStopping ? .seconds(2) : idle) {
                channel.close(promise: nil)
            }
        }
    }

    /// Ends a call whose message does not come, takes more memory than there is for messages, or whose answer is not taken.
    private final class BoundedCall: ChannelDuplexHandler {
        typealias InboundIn = HTTP2Frame.FramePayload
        typealias InboundOut = HTTP2Frame.FramePayload
        typealias OutboundIn = HTTP2Frame.FramePayload
        typealias OutboundOut = HTTP2Frame.FramePayload

        private let timeout: Duration
        /// Of the message as it comes; given back when the call has ended.
        private let lease: BodyReader.Lease
        private let log: RequestLog
        private var closing: Scheduled<Void>?
        private var isAnswered = false
        /// Answered here; the handler behind sees no more of the call than its end.
        private var isRefused = false

        init(within timeout: Duration, lease: BodyReader.Lease, log: RequestLog) {
            self.timeout = timeout
            self.lease = lease
            self.log = log
        }

        func handlerAdded(context: ChannelHandlerContext) {
            let this = NIOLoopBound(self, eventLoop: context.eventLoop)
            let own = NIOLoopBound(context, eventLoop: context.eventLoop)
            closing = context.eventLoop.scheduleTask(in: TimeAmount(timeout)) {
                this.value.refuse(.tooSlow(this.value.timeout), own.value)
            }
        }

        func handlerRemoved(context: ChannelHandlerContext) { closing?.cancel() }

        func channelInactive(context: ChannelHandlerContext) {
            closing?.cancel()
            context.fireChannelInactive()
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard !isRefused else { return }
            switch unwrapInboundIn(data) {
            case .headers(let headers) where headers.endStream && !isAnswered: closing?.cancel()
            case .data(let part):
                do {
                    try lease.take(part.data.readableBytes)
                } catch {
                    return refuse(error, context)
                }
                if part.endStream, !isAnswered { closing?.cancel() }
            default: break
            }
            context.fireChannelRead(data)
        }

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            if isRefused {
                promise?.fail(ChannelError.ioOnClosedChannel)
                return
            }
            if case .headers = unwrapOutboundIn(data), !isAnswered { beginAnswer(context.channel) }
            context.write(data, promise: promise)
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            // When the server is to stop, the transport would cancel what runs; it is to finish.
            if event is ChannelShouldQuiesceEvent { return }
            context.fireUserInboundEventTriggered(event)
        }

        private func beginAnswer(_ channel: any Channel) {
            isAnswered = true
            closing?.cancel()
            closing = channel.eventLoop.scheduleTask(in: TimeAmount(timeout)) { channel.close(promise: nil) }
        }

        /// Answers for the handler behind.
        private func refuse(_ error: ServerError, _ context: ChannelHandlerContext) {
            guard !isAnswered else { return }
            isRefused = true
            beginAnswer(context.channel)
            log.began()
            var record = RequestRecord().current
            record.requestID = RecordingMiddleware.id(nil)
            record.error = error
            log.ended("gRPC", route: "gRPC", method: "gRPC", status: error.status.code, duration: .zero, record)
            let trailers: HPACKHeaders = [
                ":status": "200", "content-type": "application/grpc", "grpc-status": "\(error.grpcCode.rawValue)",
                "grpc-message": error.text,
            ]
            let channel = context.channel
            context.writeAndFlush(wrapOutboundOut(.headers(.init(headers: trailers, endStream: true))))
                .whenComplete { _ in channel.close(promise: nil) }
        }
    }
#endif
