internal import NIOConcurrencyHelpers
internal import NIOCore

/// Limits that the gRPC transport lacks: the number of connections, their idle time, and the time to receive a message and to
/// deliver a response.
final class GRPCConnections: Sendable {
    private let max: Int
    private let idle: TimeAmount
    private let call: BoundedCall.Limits
    private let bodies: BodyReader
    private let log: RequestLog
    private let open = NIOLockedValueBox(0)

    /// - Parameters:
    ///   - max: maximum number of connections.
    ///   - idle: the time after which a client without calls is disconnected. Replaces the transport's own timer
    ///     (`maxIdleTime`), which keeps each connection's handler in memory forever.
    init(max: Int, idle: Duration, call: BoundedCall.Limits, bodies: BodyReader, log: RequestLog) {
        self.max = max
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
        guard count <= max else { return channel.close() }
        return channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(
                BoundedConnection(idle: idle, taking: TimeAmount(call.timeout)), position: .first)
        }
    }

    /// - Parameter stream: the stream of a call.
    func opened(_ stream: any Channel) -> EventLoopFuture<Void> {
        stream.eventLoop.makeCompletedFuture {
            let connection = try stream.parent?.pipeline.syncOperations.handler(type: BoundedConnection.self)
            connection?.opened(stream)
            try stream.pipeline.syncOperations.addHandler(
                BoundedCall(call, lease: bodies.lease(), log: log), position: .first)
        }
    }
}
