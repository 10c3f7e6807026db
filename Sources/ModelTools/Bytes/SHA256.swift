internal import CCrypto

/// SHA-256 (FIPS 180-4), by OpenSSL, which uses the processor's instructions for it.
package final class SHA256 {
    private let context = EVP_MD_CTX_new()

    package init() { EVP_DigestInit_ex(context, EVP_sha256(), nil) }

    deinit { EVP_MD_CTX_free(context) }

    package func update(_ bytes: UnsafeRawBufferPointer) { EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) }

    /// Of all so far, in hexadecimal digits. Nothing may be added after.
    package func finish() -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        EVP_DigestFinal_ex(context, &digest, nil)
        return digest.map { byte in
            let digits = Array("0123456789abcdef")
            return "\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
        }.joined()
    }

    /// Of all of a file. Its pages are given back as they are done with.
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
