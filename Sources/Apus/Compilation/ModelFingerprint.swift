internal import Foundation
internal import Hashing
internal import ONNXRuntime

/// What tells one model from another: the SHA-256 of its file and of the files that hold its weights.
struct ModelFingerprint: Sendable {
    let digest: String

    init(_ model: Model) throws(ApusError) {
        let hash = SHA256()
        switch model.source {
        case .bytes(let bytes): bytes.withUnsafeBytes { hash.update($0) }
        case .embedded(_, let bytes): hash.update(bytes())
        case .file(let path):
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
            for name in ModelFingerprint.externalFiles(of: data).sorted() {
                if let digest = SHA256.digest(ofFile: folder + "/" + name) {
                    Array("\(name) \(digest)".utf8).withUnsafeBytes { hash.update($0) }
                }
            }
        }
        digest = hash.finish()
    }

    /// Files that weights lie in: the values of the key "location" (onnx.proto, TensorProto.external_data).
    private static func externalFiles(of data: Data) -> Set<String> {
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
                let length = Int(bytes[last + 1])  // names of 128 bytes and more are no names of files beside a model
                let end = last + 2 + length
                if (1...127).contains(length), end <= bytes.count {
                    names.insert(String(decoding: bytes[(last + 2)..<end], as: UTF8.self))
                }
            }
        }
        return names.filter { !$0.contains("..") }
    }
}
