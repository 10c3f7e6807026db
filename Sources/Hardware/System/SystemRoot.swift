internal import Foundation

/// The files in which the kernel and the distribution describe the system. Tests use a folder that looks like a root.
package struct SystemRoot: Sendable {
    private let root: String

    package init(_ root: String = "") { self.root = root }

    func path(_ path: String) -> String { root + path }

    func entries(_ folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path(folder))) ?? []).sorted()
    }

    func text(_ file: String) -> String? {
        (try? Data(contentsOf: URL(fileURLWithPath: path(file)))).map { String(decoding: $0, as: UTF8.self) }
    }

    func exists(_ file: String) -> Bool { FileManager.default.fileExists(atPath: path(file)) }

    /// The last component of a link's target.
    func linkName(_ file: String) -> String? {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: path(file)))
            .map { URL(fileURLWithPath: $0).lastPathComponent }
    }
}
