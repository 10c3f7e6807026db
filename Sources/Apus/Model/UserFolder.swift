internal import Foundation

/// Where a user's files are kept (XDG Base Directory Specification).
enum UserFolder {
    /// `$XDG_DATA_HOME/apus`: what was made or downloaded to stay.
    static var data: String { base("XDG_DATA_HOME", ".local/share") }
    /// `$XDG_CACHE_HOME/apus`: what can be made or downloaded again.
    static var cache: String { base("XDG_CACHE_HOME", ".cache") }
    /// `$XDG_STATE_HOME/apus`: recorded findings, such as verdicts.
    static var state: String { base("XDG_STATE_HOME", ".local/state") }

    private static func base(_ variable: String, _ fallback: String) -> String {
        // The specification requires relative paths to be ignored.
        if let path = ProcessInfo.processInfo.environment[variable], path.hasPrefix("/") { return path + "/apus" }
        return NSHomeDirectory() + "/\(fallback)/apus"
    }
}
