internal import Foundation
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
