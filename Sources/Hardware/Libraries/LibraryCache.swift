internal import Foundation

/// Where the dynamic linker finds libraries by name: /etc/ld.so.cache and the system's folders.
package struct LibraryCache: Sendable {
    private let paths: [String: String]
    private let folders: [String]

    /// Folders that are searched whether or not they are in the cache.
    private static let systemFolders = [
        "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib",
    ]

    /// The system's own cache.
    package static let system = LibraryCache(
        cache: (try? Data(contentsOf: URL(fileURLWithPath: "/etc/ld.so.cache"))) ?? Data(), folders: systemFolders)

    /// For tests: a system with only the libraries in these folders.
    package init(folders: [String]) { self.init(cache: Data(), folders: folders) }

    /// Reads the cache in the format of glibc's `elf/dl-cache.h` (struct cache_file_new); a damaged one counts as empty.
    private init(cache: Data, folders: [String]) {
        var paths: [String: String] = [:]
        if let start = cache.range(of: Data("glibc-ld.so.cache1.1".utf8))?.lowerBound {
            let bytes = [UInt8](cache[start...])
            func word(_ offset: Int) -> Int? {
                guard offset + 4 <= bytes.count else { return nil }
                return Int(bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) })
            }
            func text(_ offset: Int) -> String? {
                guard offset < bytes.count else { return nil }
                return String(decoding: bytes[offset...].prefix { $0 != 0 }, as: UTF8.self)
            }
            for index in 0..<min(word(20) ?? 0, bytes.count / 24) {
                let entry = 48 + 24 * index
                // 0x0303: a library of the C library 6 for x86-64.
                guard word(entry) == 0x0303, let name = word(entry + 4).flatMap(text),
                    let path = word(entry + 8).flatMap(text), paths[name] == nil
                else { continue }
                paths[name] = path
            }
        }
        self.paths = paths
        self.folders = folders
    }

    /// The path of a library; nil if the system does not have it.
    package func path(of name: String) -> String? {
        if let path = paths[name], FileManager.default.fileExists(atPath: path) { return path }
        return folders.lazy.map { $0 + "/" + name }.first { FileManager.default.fileExists(atPath: $0) }
    }
}
