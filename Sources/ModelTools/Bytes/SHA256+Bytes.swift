package import Hashing
package import ONNX

extension SHA256 {
    /// The digest of a mapped file. Its pages are released once they are hashed.
    package static func digest(_ bytes: Bytes) -> String {
        let hash = SHA256()
        for start in stride(from: 0, to: bytes.count, by: 1 << 24) {
            let part = bytes.slice(start..<min(start + 1 << 24, bytes.count))
            part.withUnsafeBytes { hash.update($0) }
            part.release()
        }
        return hash.finish()
    }
}
