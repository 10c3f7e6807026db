internal import NIOConcurrencyHelpers
internal import NIOCore

/// The limits of gRPC's connections and calls that its transport lacks: how many connections, how long one may be silent, and
/// how long a message may take to arrive and a response to be taken.
final class GRPCConnections: Sendable {
    private let max: Int
    private let idle: TimeAmount
    private let call: BoundedCall.Limits
    private let bodies: BodyReader
    private let log: RequestLog
    private let open = NIOLockedValueBox(0)

    /// - Parameters:
    ///   - max: connections at once.
    ///   - idle: after which a client without calls is asked to go. The transport's own timer for that (`maxIdleTime`) is not
    ///     used: it keeps each connection's handler in memory for good.
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
