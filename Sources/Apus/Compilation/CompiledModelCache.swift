internal import Foundation

/// Where compiled models are kept on disk.
public enum CompiledModelCache: Sendable, Hashable {
    /// In `$XDG_CACHE_HOME/apus/compiled`, else `~/.cache/apus/compiled`.
    case standard
    /// In this folder.
    case folder(String)
    /// Nowhere: the device compiles at every start.
    case off

    package var path: String? {
        switch self {
        case .standard: UserFolder.cache + "/compiled"
        case .folder(let path): URL(fileURLWithPath: path).standardizedFileURL.path
        case .off: nil
        }
    }
}
