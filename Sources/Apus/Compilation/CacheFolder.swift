internal import Foundation

/// Where things are kept that can be made anew: `$XDG_CACHE_HOME/apus`, else `~/.cache/apus`.
package enum CacheFolder {
    package static func path(environment: [String: String] = ProcessInfo.processInfo.environment) -> String {
        // The specification wants relative paths ignored.
        if let path = environment["XDG_CACHE_HOME"], path.hasPrefix("/") { return path + "/apus" }
        return (environment["HOME"] ?? NSHomeDirectory()) + "/.cache/apus"
    }
}

/// Whether what a device compiled is kept on disk.
public enum CompiledModelCache: Sendable, Hashable {
    /// In `$XDG_CACHE_HOME/apus/compiled`, else `~/.cache/apus/compiled`.
    case standard
    /// In this folder.
    case folder(String)
    /// Nothing is kept: the device compiles at every start.
    case off

    package var path: String? {
        switch self {
        case .standard: CacheFolder.path() + "/compiled"
        case .folder(let path): URL(fileURLWithPath: path).standardizedFileURL.path
        case .off: nil
        }
    }
}
