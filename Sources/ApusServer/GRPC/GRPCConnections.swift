#if Server
    internal import NIOConcurrencyHelpers
    internal import NIOCore

    /// Counts gRPC's connections, and ends those that are too many or that never speak HTTP/2.
    final class GRPCConnections: Sendable {
        private let most: Int
        private let handshake: TimeAmount
        private let open = NIOLockedValueBox(0)

        /// - Parameter handshake: within which the client must have sent something that HTTP/2 takes.
        init(most: Int, handshake: TimeAmount) {
            self.most = most
            self.handshake = handshake
        }

        func accepted(_ channel: any Channel) -> EventLoopFuture<Void> {
            let count = open.withLockedValue { open in
                open += 1
                return open
            }
            channel.closeFuture.whenComplete { _ in self.open.withLockedValue { $0 -= 1 } }
            guard count <= most else { return channel.close() }
            return channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(FirstBytes(within: handshake), position: .first)
            }
        }

        /// Closes a connection on which nothing comes at all; what comes later has the transport's own limits.
        private final class FirstBytes: ChannelInboundHandler, RemovableChannelHandler {
            typealias InboundIn = ByteBuffer

            private let time: TimeAmount
            private var closing: Scheduled<Void>?
            /// A client's HTTP/2 preface and the head of its first frame.
            private var missing = 24 + 9

            init(within time: TimeAmount) { self.time = time }

            func handlerAdded(context: ChannelHandlerContext) {
                let channel = context.channel
                closing = context.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
            }

            func handlerRemoved(context: ChannelHandlerContext) { closing?.cancel() }

            func channelInactive(context: ChannelHandlerContext) {
                closing?.cancel()
                context.fireChannelInactive()
            }

            func channelRead(context: ChannelHandlerContext, data: NIOAny) {
                missing -= unwrapInboundIn(data).readableBytes
                context.fireChannelRead(data)
                if missing <= 0 { context.pipeline.syncOperations.removeHandler(self, promise: nil) }
            }
        }
    }
#endif
