internal import Foundation
internal import Hashing
internal import ONNXRuntime

/// What tells one model from another: the SHA-256 of its file and of the files that hold its weights.
struct ModelFingerprint: Sendable {
    let digest: String
    private let name: String
    /// The model's files as they were; empty for a model in memory.
    private let files: [FileStamp]

    init(_ model: Model) throws(ApusError) {
        let hash = SHA256()
        var files: [FileStamp] = []
        switch model.source {
        case .bytes(let bytes): bytes.withUnsafeBytes { hash.update($0) }
        case .embedded(_, let bytes): hash.update(bytes())
        case .file(let path):
            files.append(FileStamp(path))
            let data: Data
            do {
                data = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
            } catch {
                throw ApusError(
                    .model, doing: "read the model \(path)", cause: error.localizedDescription,
                    remedy: "Check the path of the model, and that you may read it.")
            }
            data.withUnsafeBytes { hash.update($0) }
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
            for name in ModelFingerprint.externalFiles(of: data) {
                let file = "\(folder)/\(name)"
                let stamp = FileStamp(file)
                if let digest = SHA256.digest(ofFile: file) {
                    files.append(stamp)
                    Array("\(name) \(digest)".utf8).withUnsafeBytes { hash.update($0) }
                }
            }
        }
        digest = hash.finish()
        name = model.name
        self.files = files
    }

    /// - Throws: if a file of the model was replaced since the digest was made, which then says nothing of it.
    func requireUnchanged() throws(ApusError) {
        for file in files where FileStamp(file.path) != file {
            throw ApusError(
                .model, doing: "load the model \(name)", cause: "\(file.path) was replaced while it was in use",
                remedy: "Load the model again: what was compiled of the old one goes on, but no more of it can be.")
        }
    }

    /// Files that weights lie in: the values of the key "location" (onnx.proto, TensorProto.external_data).
    fileprivate static func externalFiles(of data: Data) -> [String] {
        let key: [UInt8] = [0x0a, 8] + Array("location".utf8) + [0x12]
        // How far the window moves by its last byte (Horspool, 1980): a file of weights is hundreds of megabytes.
        var shift = [Int](repeating: key.count, count: 256)
        for (index, byte) in key.dropLast().enumerated() { shift[Int(byte)] = key.count - 1 - index }
        var names: Set<String> = []
        data.withUnsafeBytes { bytes in
            var last = key.count - 1
            while last < bytes.count - 1 {
                defer { last += shift[Int(bytes[last])] }
                guard bytes[last] == key[key.count - 1], bytes[(last - key.count + 1)...last].elementsEqual(key) else {
                    continue
                }
                // A length as protobuf writes it: seven bits a byte, the lowest first. Two bytes hold any path's.
                var (start, length) = (last + 2, Int(bytes[last + 1]))
                if length >= 128 {
                    guard start < bytes.count, bytes[start] < 128 else { continue }
                    length = length & 0x7f | Int(bytes[start]) << 7
                    start += 1
                }
                if (1...4096).contains(length), start + length <= bytes.count {
                    names.insert(String(decoding: bytes[start..<(start + length)], as: UTF8.self))
                }
            }
        }
        return names.sorted()
    }
}

extension Model {
    /// The model's file and those beside it that its weights lie in; none for a model in memory.
    package var files: [String] {
        guard case .file(let path) = source else { return [] }
        let url = URL(fileURLWithPath: path)
        guard let data = try? Data(contentsOf: url, options: .alwaysMapped) else { return [path] }
        let folder = url.deletingLastPathComponent().path
        return [path] + ModelFingerprint.externalFiles(of: data).map { "\(folder)/\($0)" }
    }
}

/// What changes when a file is replaced or written to.
package struct FileStamp: Equatable, Sendable {
    package let path: String
    /// Device, inode, size, and the time of the last change in nanoseconds; nil if there is no such file.
    private let facts: [Int64]?

    package init(_ path: String) {
        self.path = path
        var status = stat()
        facts =
            stat(path, &status) == 0
            ? [
                Int64(bitPattern: UInt64(status.st_dev)), Int64(bitPattern: UInt64(status.st_ino)),
                Int64(status.st_size), Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec),
            ] : nil
    }
}
