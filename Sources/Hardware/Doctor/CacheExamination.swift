internal import Foundation

/// Looks at the folder in which compiled models are kept.
package enum CacheExamination {
    /// Room for a few compiled models.
    private static let leastBytes: Int64 = 1 << 30

    package static func finding(folder: String) -> Finding {
        let remedy = "Name another folder: --cache-dir FOLDER, or XDG_CACHE_HOME."
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let probe = "\(folder)/.doctor-\(getpid())"
            try Data("apus".utf8).write(to: URL(fileURLWithPath: probe))
            try FileManager.default.removeItem(atPath: probe)
        } catch {
            return Finding(
                "cache", .warn,
                "\(folder) cannot be written to (\(error.localizedDescription)), so a GPU compiles at every start",
                remedy: remedy)
        }
        var facts = statvfs()
        guard statvfs(folder, &facts) == 0 else { return Finding("cache", .pass, "\(folder) can be written to") }
        let free = Int64(facts.f_bavail) * Int64(facts.f_frsize)
        let text = String(format: "%.1f GiB", Double(free) / 0x1p30)
        return free < leastBytes
            ? Finding(
                "cache", .warn, "\(folder) has \(text) left: a compiled model may not fit",
                remedy: "Free space, or name another folder: --cache-dir FOLDER")
            : Finding("cache", .pass, "\(folder) can be written to, \(text) free")
    }
}
