internal import Foundation
internal import Remedies

/// Examines the folders that hold compiled models and verdicts.
package enum CacheExamination {
    /// Room for a few compiled models.
    private static let leastBytes: Int64 = 1 << 30

    package static func finding(folder: String) -> Finding {
        if let why = whyNotWritable(folder) {
            return Finding(
                "cache", .warn, "\(folder) cannot be written to (\(why)), so a GPU compiles at every start",
                remedy: "Use another folder: \(setting: .cacheFolder, "FOLDER"), or XDG_CACHE_HOME.")
        }
        var facts = statvfs()
        guard statvfs(folder, &facts) == 0 else { return Finding("cache", .pass, "\(folder) can be written to") }
        let free = Int64(facts.f_bavail) * Int64(facts.f_frsize)
        let text = String(format: "%.1f GiB", Double(free) / 0x1p30)
        return free < leastBytes
            ? Finding(
                "cache", .warn, "\(folder) has only \(text) left: a compiled model may not fit",
                remedy: "Free space, or use another folder: \(setting: .cacheFolder, "FOLDER")")
            : Finding("cache", .pass, "\(folder) can be written to, \(text) free")
    }

    /// Examines the folder in which `apus verify` stores its verdicts.
    package static func verdicts(folder: String) -> Finding {
        guard let why = whyNotWritable(folder) else {
            return Finding("verdicts", .pass, "\(folder) can be written to")
        }
        return Finding(
            "verdicts", .warn, "\(folder) cannot be written to (\(why)), so apus verify cannot store its verdicts",
            remedy: "Set XDG_STATE_HOME to a writable folder.")
    }

    private static func whyNotWritable(_ folder: String) -> String? {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let probe = "\(folder)/.doctor-\(getpid())"
            try Data("apus".utf8).write(to: URL(fileURLWithPath: probe))
            try FileManager.default.removeItem(atPath: probe)
            return nil
        } catch {
            return error.localizedDescription
        }
    }
}
