internal import HummingbirdCore
internal import Logging

/// Counts HTTP connections, and logs when the limit is reached: the next one waits until another closes.
struct ConnectionLimit: AvailableConnectionsDelegate {
    private let limit: Int
    private let logger: Logger
    private var open = 0
    private var isLogged = false

    init(_ limit: Int, logger: Logger) {
        self.limit = limit
        self.logger = logger
    }

    mutating func connectionOpened() {
        open += 1
        guard open >= limit, !isLogged else { return }
        isLogged = true
        logger.warning(
            "connection limit reached; new connections wait", metadata: ["max_connections": "\(limit)"])
    }

    mutating func connectionClosed() {
        open -= 1
        // Once, not for every connection that opens and closes at the limit.
        if open < limit / 2 { isLogged = false }
    }

    func isAcceptingNewConnections() -> Bool { open < limit }
}
