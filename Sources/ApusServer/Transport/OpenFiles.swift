internal import Foundation
internal import HummingbirdCore
internal import Logging

/// How many files and sockets the process may have open. Past the limit no connection is accepted and no model loads, so the
/// limit is raised as far as the system allows, and connections keep below it.
package enum OpenFiles {
    /// For models, libraries, devices, logs, and the images and models that are read while all connections are open.
    package static let reserve = 256

    /// Raises the soft limit to the hard one. Returns what it is then.
    static func raiseLimit() -> Int {
        var limit = rlimit()
        let resource = __rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue))
        guard getrlimit(resource, &limit) == 0 else { return 1024 }
        if limit.rlim_cur < limit.rlim_max {
            var raised = limit
            raised.rlim_cur = limit.rlim_max
            if setrlimit(resource, &raised) == 0 { limit = raised }
        }
        return Int(clamping: limit.rlim_cur)
    }

    /// How many connections each listener may have.
    package static func connections(wanted: Int, listeners: Int, limit: Int) -> Int {
        min(wanted, max(1, (limit - reserve) / listeners))
    }
}

extension ServerConfiguration {
    /// With no more connections than the system allows, which is logged.
    func withinOpenFiles(_ logger: Logger) -> ServerConfiguration {
        var own = self
        let limit = OpenFiles.raiseLimit()
        own.maxConnections = OpenFiles.connections(
            wanted: maxConnections, listeners: grpcPort == nil ? 1 : 2, limit: limit)
        if own.maxConnections < maxConnections {
            logger.warning(
                "max-connections is lowered: the system allows too few open files",
                metadata: [
                    "max_connections": "\(own.maxConnections)", "configured": "\(maxConnections)",
                    "open_files": "\(limit)", "remedy": "raise the hard limit (ulimit -Hn, LimitNOFILE=)",
                ])
        }
        return own
    }
}

/// Counts HTTP connections, and logs when there are as many as allowed: the next one waits until another closes.
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
            "all connections are taken; new ones wait", metadata: ["max_connections": "\(limit)"])
    }

    mutating func connectionClosed() {
        open -= 1
        // Not again for every connection that comes and goes at the limit.
        if open < limit / 2 { isLogged = false }
    }

    func isAcceptingNewConnections() -> Bool { open < limit }
}
