internal import Foundation
internal import Logging

/// The limit on open files and sockets. At the limit, no connection is accepted and no model loads, so the limit is raised as
/// far as the system allows, and connections stay below it.
package enum OpenFiles {
    /// Reserved for models, libraries, devices, logs, and images and models read while all connections are open.
    package static let reserve = 256

    /// Raises the soft limit to the hard limit, and returns the result.
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

    /// The number of connections each listener may have.
    package static func connections(wanted: Int, listeners: Int, limit: Int) -> Int {
        min(wanted, max(1, (limit - reserve) / listeners))
    }
}

extension ServerConfiguration {
    /// Lowers the number of connections to what the system allows, and logs that.
    func withinOpenFiles(_ logger: Logger) -> ServerConfiguration {
        var own = self
        let limit = OpenFiles.raiseLimit()
        own.maxConnections = OpenFiles.connections(
            wanted: maxConnections, listeners: grpcPort == nil ? 1 : 2, limit: limit)
        if own.maxConnections < maxConnections {
            logger.warning(
                "max-connections lowered: the system allows too few open files",
                metadata: [
                    "max_connections": "\(own.maxConnections)", "configured": "\(maxConnections)",
                    "open_files": "\(limit)", "remedy": "raise the hard limit (ulimit -Hn, LimitNOFILE=)",
                ])
        }
        return own
    }
}
