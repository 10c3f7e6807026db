internal import Files
internal import Foundation
internal import Hashing

/// Compiled models on disk, one folder each, shared by all processes of a user.
///
/// A folder appears whole or not at all: it is created under a temporary name, gets a manifest with the digests of its files, and
/// is renamed. A folder whose files don't match its manifest is compiled again. A lock file next to it keeps two processes from
/// compiling the same model, and a folder in use from being removed.
package struct CompiledModelStore: Sendable {
    private struct Manifest: Codable {
        struct File: Codable {
            var name: String
            var size: Int
            var sha256: String
        }

        var key: Key
        var files: [File]
    }

    /// Where a compiled model came from.
    package enum Origin: Sendable, Equatable {
        /// It was compiled earlier and read from the cache.
        case cache
        /// It was compiled now and stored.
        case compiled
        /// It was compiled now and could not be stored, and why.
        case notKept(String)
        /// It was compiled now, with no cache in use.
        case unkept
    }

    /// The default limit on their total size in bytes: some fifty DETR-R50 in f16.
    package static let standardLimit = 4 << 30

    private let folder: String
    private let limit: Int
    /// How long to wait for another process that compiles the same model.
    private let wait: Duration
    /// Partial folders older than this, in seconds, were left by processes that died.
    private static let oldestPartial = 3600.0

    package init(folder: String, limit: Int = standardLimit, wait: Duration = .seconds(180)) {
        self.folder = folder
        self.limit = limit
        self.wait = wait
    }

    /// Calls `compile` with a folder to read a compiled model from or to write it into.
    ///
    /// - Parameter compile: receives nil if nothing can be stored.
    package func load<Compiled>(
        _ key: Key, compile: (_ cache: String?) throws -> Compiled
    ) throws -> (compiled: Compiled, origin: Origin, note: String?) {
        let target = path(of: key)
        let until = ContinuousClock.now + wait
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var note: String?
        // A model that was refused is not tried again, unless another process has replaced it meanwhile.
        var refused: FileStamp?
        if FileManager.default.fileExists(atPath: target), let lock = try? FileLock.reader(target + ".lock", until) {
            defer { lock.release() }
            if let found = try read(key, from: target, &note, compile) { return found }
            refused = manifestStamp(target)
        }
        let lock: FileLock
        do {
            lock = try FileLock(target + ".lock", .exclusive, until)
        } catch {
            return (try compile(nil), .notKept("\(folder) cannot be used: \(error.why)"), note)
        }
        defer { lock.release() }
        if FileManager.default.fileExists(atPath: target), manifestStamp(target) != refused {
            note = nil
            if let found = try read(key, from: target, &note, compile) { return found }
        }
        return try make(key, at: target, note: note, compile)
    }

    private func manifestStamp(_ target: String) -> FileStamp { FileStamp(target + "/manifest.json") }

    /// Nil if it has to be compiled again, which `note` explains.
    private func read<Compiled>(
        _ key: Key, from target: String, _ note: inout String?, _ compile: (_ cache: String?) throws -> Compiled
    ) throws -> (compiled: Compiled, origin: Origin, note: String?)? {
        guard isIntact(target, key) else {
            note = "the cached model was damaged, so it was compiled again"
            return nil
        }
        do {
            let compiled = try compile(target)
            // When the device rejects a cached model, it compiles and overwrites the old one, which others may be reading. The
            // entry is recreated at the next start.
            guard listed(in: target, key) != nil else {
                discard(target)
                return (compiled, .compiled, "the device rejected the cached model, so it was compiled again")
            }
            touch(target)
            return (compiled, .cache, nil)
        } catch {
            note = "the cached model did not load (\(error)), so it was compiled again"
            return nil
        }
    }

    private func make<Compiled>(
        _ key: Key, at target: String, note: String?, _ compile: (_ cache: String?) throws -> Compiled
    ) throws -> (compiled: Compiled, origin: Origin, note: String?) {
        let partial = partialName(target)
        do {
            try FileManager.default.createDirectory(atPath: partial, withIntermediateDirectories: false)
        } catch {
            return (try compile(nil), .notKept("\(folder) cannot be written to: \(error.localizedDescription)"), note)
        }
        defer { try? FileManager.default.removeItem(atPath: partial) }
        // If this fails too, the cache was not at fault, and the entry stays.
        let compiled = try compile(partial)
        guard writeManifest(key, in: partial) else {
            return (compiled, .notKept("the device exported nothing to store, or the disk is full"), note)
        }
        if FileManager.default.fileExists(atPath: target) { discard(target) }
        guard rename(partial, target) == 0 else {
            return (compiled, .notKept("\(target): \(String(cString: strerror(errno)))"), note)
        }
        prune(keeping: target)
        return (compiled, .compiled, note)
    }

    private func partialName(_ target: String) -> String {
        "\(target).partial-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    }

    /// Renames it first, so that nobody opens it, then removes it.
    private func discard(_ target: String) {
        let partial = partialName(target)
        if rename(target, partial) == 0 { try? FileManager.default.removeItem(atPath: partial) }
    }

    /// Whether a compiled model of this key exists.
    package func contains(_ key: Key) -> Bool { isIntact(path(of: key), key) }

    private func path(of key: Key) -> String { "\(folder)/\(key.digest).compiled" }

    private func manifest(in path: String) -> Manifest? {
        (try? BoundedFile.bytes(atPath: path + "/manifest.json", limit: 10_000_000))
            .flatMap { try? JSONDecoder().decode(Manifest.self, from: Data($0)) }
    }

    private func isIntact(_ path: String, _ key: Key) -> Bool {
        listed(in: path, key)?.allSatisfy { SHA256.digest(ofFile: "\(path)/\($0.name)") == $0.sha256 } ?? false
    }

    /// The files that the manifest lists; nil if their names or sizes have changed.
    private func listed(in path: String, _ key: Key) -> [Manifest.File]? {
        guard let manifest = manifest(in: path), manifest.key == key, !manifest.files.isEmpty,
            Set(manifest.files.map(\.name)) == Set(files(in: path)),
            manifest.files.allSatisfy({ size(of: "\(path)/\($0.name)") == $0.size })
        else { return nil }
        return manifest.files
    }

    @discardableResult
    private func writeManifest(_ key: Key, in path: String) -> Bool {
        let files = files(in: path).compactMap { name -> Manifest.File? in
            guard let digest = SHA256.digest(ofFile: "\(path)/\(name)") else { return nil }
            return Manifest.File(name: name, size: size(of: "\(path)/\(name)"), sha256: digest)
        }
        guard files.contains(where: { $0.size > 0 }),
            let data = try? JSONEncoder().encode(Manifest(key: key, files: files))
        else { return false }
        return (try? data.write(to: URL(fileURLWithPath: path + "/manifest.json"), options: .atomic)) != nil
    }

    private func files(in path: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter { $0 != "manifest.json" }.sorted()
    }

    private func size(of path: String) -> Int {
        ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int) ?? 0
    }

    private func touch(_ path: String) {
        try? FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: path + "/manifest.json")
    }

    /// Removes the least recently used models until the rest fit the limit, and what dead processes left. The folder may hold
    /// other things: only entries of this store, recognized by name, are counted or touched.
    private func prune(keeping kept: String) {
        var entries: [(path: String, used: Date, size: Int)] = []
        func date(_ path: String) -> Date? {
            (try? FileManager.default.attributesOfItem(atPath: path))?[.modificationDate] as? Date
        }
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            let path = "\(folder)/\(name)"
            if name.wholeMatch(of: /[0-9a-f]{32}\.compiled\.partial-\d+-\d+/) != nil {
                if (date(path)?.timeIntervalSinceNow ?? 0) < -CompiledModelStore.oldestPartial {
                    try? FileManager.default.removeItem(atPath: path)
                }
            } else if name.wholeMatch(of: /[0-9a-f]{32}\.compiled/) != nil {
                let size = files(in: path).reduce(0) { $0 + self.size(of: "\(path)/\($1)") }
                entries.append((path, date(path + "/manifest.json") ?? .distantPast, size))
            }
        }
        var total = entries.reduce(0) { $0 + $1.size }
        for entry in entries.sorted(by: { $0.used < $1.used }) where total > limit && entry.path != kept {
            guard let lock = try? FileLock(entry.path + ".lock", .exclusive, .now) else { continue }
            try? FileManager.default.removeItem(atPath: entry.path)
            lock.release()
            total -= entry.size
        }
    }
}

/// A lock that the kernel releases when the process ends, however it ends.
private struct FileLock {
    enum Kind {
        case shared, exclusive
    }

    struct Failure: Error {
        var why: String
        /// Whether the folder may only be read.
        var isReadOnly = false
    }

    /// Nil if no lock is needed.
    private let descriptor: Int32?

    /// For reading; no lock is needed where nobody may write.
    static func reader(_ path: String, _ until: ContinuousClock.Instant) throws(Failure) -> FileLock {
        do {
            return try FileLock(path, .shared, until)
        } catch  where error.isReadOnly {
            return FileLock()
        }
    }

    private init() { descriptor = nil }

    /// Waits no longer than `until`: the holder of the lock may hang.
    init(_ path: String, _ kind: Kind, _ until: ContinuousClock.Instant) throws(Failure) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            let error = errno
            throw Failure(
                why: "\(path): \(String(cString: strerror(error)))", isReadOnly: error == EACCES || error == EROFS)
        }
        while flock(descriptor, (kind == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0 {
            let error = errno
            guard error == EINTR || error == EWOULDBLOCK, ContinuousClock.now < until else {
                close(descriptor)
                throw Failure(
                    why: error == EWOULDBLOCK
                        ? "another process holds \(path) and does not release it" : String(cString: strerror(error)))
            }
            usleep(10_000)
        }
        self.descriptor = descriptor
    }

    func release() { if let descriptor { close(descriptor) } }
}
