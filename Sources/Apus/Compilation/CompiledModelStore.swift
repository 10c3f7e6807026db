internal import Files
internal import Foundation
internal import Hashing

/// Compiled models on disk, a folder each, shared by all processes of a user.
///
/// A folder appears whole or not at all: it is made under another name, gets a manifest with the digests of its files, and
/// is renamed. A folder whose files are not as its manifest says is made anew. A lock on a file beside it keeps two
/// processes from compiling the same, and a folder in use from being removed.
package struct CompiledModelStore: Sendable {
    /// What a compiled model depends on; any difference makes it another one.
    package struct Key: Codable, Sendable, Equatable {
        package var model: String
        package var device: String
        package var deviceName: String
        package var deviceUUID: String
        package var driver: String
        package var onnxRuntime: String
        package var openVINO: String
        package var precision: String
        /// "1x3x800x1344"; empty for the shape that the model itself has.
        package var shape: String
        /// How images are prepared and outputs decoded, which a verdict depends on; empty for what a device compiled.
        package var decoding = ""

        package init(
            model: String, device: String, deviceName: String, deviceUUID: String, driver: String, onnxRuntime: String,
            openVINO: String, precision: String, shape: String
        ) {
            self.model = model
            self.device = device
            self.deviceName = deviceName
            self.deviceUUID = deviceUUID
            self.driver = driver
            self.onnxRuntime = onnxRuntime
            self.openVINO = openVINO
            self.precision = precision
            self.shape = shape
        }

        var digest: String { String(SHA256.digest(json).prefix(32)) }

        private var json: String {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        }
    }

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
        /// It was compiled before, and read.
        case cache
        /// It was compiled now, and kept.
        case compiled
        /// It was compiled now and not kept, which was wanted, and why.
        case notKept(String)
        /// It was compiled now, and nothing is kept.
        case unkept
    }

    /// The most bytes that all of them may take unless told otherwise: some fifty DETR-R50 in f16.
    package static let standardLimit = 4 << 30

    private let folder: String
    private let limit: Int
    /// How long another process may take to compile the same.
    private let wait: Duration
    /// Left by a process that died is what is older, in seconds.
    private static let oldestPartial = 3600.0

    package init(folder: String, limit: Int = standardLimit, wait: Duration = .seconds(180)) {
        self.folder = folder
        self.limit = limit
        self.wait = wait
    }

    /// Calls `compile` with a folder to read a compiled model from or to write it into.
    ///
    /// - Parameter compile: is given nil where nothing can be kept.
    package func load<Compiled>(
        _ key: Key, compile: (_ cache: String?) throws -> Compiled
    ) throws -> (compiled: Compiled, origin: Origin, note: String?) {
        let target = path(of: key)
        let until = ContinuousClock.now + wait
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var note: String?
        // A model that was refused is not tried again, unless another process has made it anew meanwhile.
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

    /// Nil if it has to be compiled anew, which `note` explains.
    private func read<Compiled>(
        _ key: Key, from target: String, _ note: inout String?, _ compile: (_ cache: String?) throws -> Compiled
    ) throws -> (compiled: Compiled, origin: Origin, note: String?)? {
        guard isIntact(target, key) else {
            note = "the cached model was damaged, so it was compiled anew"
            return nil
        }
        do {
            let compiled = try compile(target)
            // What the device did not accept it has compiled, and written over the old one, which others may be reading: it
            // is made anew at the next start.
            guard listed(in: target, key) != nil else {
                discard(target)
                return (compiled, .compiled, "the device did not accept the cached model, so it was compiled anew")
            }
            touch(target)
            return (compiled, .cache, nil)
        } catch {
            note = "the cached model did not load (\(error)), so it was compiled anew"
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
        // If this fails too, it was not the cache's fault, and what is there stays.
        let compiled = try compile(partial)
        guard writeManifest(key, in: partial) else {
            return (compiled, .notKept("the device gave nothing to keep, or the disk is full"), note)
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

    /// Out of sight at once, then removed.
    private func discard(_ target: String) {
        let partial = partialName(target)
        if rename(target, partial) == 0 { try? FileManager.default.removeItem(atPath: partial) }
    }

    /// Whether a compiled model of this key is there.
    package func contains(_ key: Key) -> Bool { isIntact(path(of: key), key) }

    private func path(of key: Key) -> String { "\(folder)/\(key.digest).compiled" }

    private func manifest(in path: String) -> Manifest? {
        (try? BoundedFile.bytes(atPath: path + "/manifest.json", limit: 10_000_000))
            .flatMap { try? JSONDecoder().decode(Manifest.self, from: Data($0)) }
    }

    private func isIntact(_ path: String, _ key: Key) -> Bool {
        listed(in: path, key)?.allSatisfy { SHA256.digest(ofFile: "\(path)/\($0.name)") == $0.sha256 } ?? false
    }

    /// What the manifest lists; nil if names or sizes are others now.
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

    /// Removes what was not used for longest until all fit the limit, and what dead processes left. Somebody may have named
    /// a folder that holds other things: only what this store has made, which its name tells, is counted or touched.
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

/// A lock that the kernel gives back when the process ends, however it ends.
private struct FileLock {
    enum Kind {
        case shared, exclusive
    }

    struct Failure: Error {
        var why: String
        /// Whether the folder may only be read.
        var isReadOnly = false
    }

    /// Nil for a lock that is not needed.
    private let descriptor: Int32?

    /// For reading; none is needed where nobody may write.
    static func reader(_ path: String, _ until: ContinuousClock.Instant) throws(Failure) -> FileLock {
        do {
            return try FileLock(path, .shared, until)
        } catch  where error.isReadOnly {
            return FileLock()
        }
    }

    private init() { descriptor = nil }

    /// Waits no longer than `until`: whoever has the lock may hang.
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
                        ? "another process holds \(path), and does not let go" : String(cString: strerror(error)))
            }
            usleep(10_000)
        }
        self.descriptor = descriptor
    }

    func release() { if let descriptor { close(descriptor) } }
}
