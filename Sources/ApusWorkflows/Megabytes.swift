internal import Foundation

/// Human-readable byte counts.
package enum Megabytes {
    /// Such as "1.5 kB" or "8.5 MB"; powers of ten.
    package static func text(_ bytes: Int) -> String {
        bytes < 100_000
            ? String(format: "%.1f kB", Double(bytes) / 1e3) : String(format: "%.1f MB", Double(bytes) / 1e6)
    }
}
