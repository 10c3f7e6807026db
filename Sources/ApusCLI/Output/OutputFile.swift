import Apus
import Foundation

enum OutputFile {
    /// Writes a file atomically. A path that is not a regular file (a pipe, /dev/stdout) is written to, never replaced.
    static func write(_ bytes: [UInt8], to path: String) throws(ApusError) {
        do {
            let url = URL(fileURLWithPath: path)
            let type = try? FileManager.default.attributesOfItem(atPath: url.resolvingSymlinksInPath().path)[.type]
            if let type = type as? FileAttributeType, type != .typeRegular {
                let file = try FileHandle(forWritingTo: url)
                defer { try? file.close() }
                try file.write(contentsOf: Data(bytes))
            } else {
                try Data(bytes).write(to: url, options: .atomic)
            }
        } catch {
            throw failure(path, error)
        }
    }

    static func writeToStandardOutput(_ bytes: [UInt8]) throws(ApusError) {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data(bytes))
        } catch {
            throw failure("standard output", error)
        }
    }

    private static func failure(_ name: String, _ error: any Error) -> ApusError {
        ApusError(
            .option, doing: "write \(name)", cause: error.localizedDescription,
            remedy: "Check the free disk space and the write permissions.")
    }
}
