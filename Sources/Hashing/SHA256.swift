internal import CCrypto
internal import Files

/// SHA-256 (FIPS 180-4) by OpenSSL, which uses the processor's instructions for it.
package final class SHA256 {
    private let context = EVP_MD_CTX_new()

    package init() { EVP_DigestInit_ex(context, EVP_sha256(), nil) }

    /// The digest of text.
    package static func digest(_ text: String) -> String {
        Array(text.utf8).withUnsafeBytes { digest($0) }
    }

    /// The digest of memory.
    package static func digest(_ bytes: UnsafeRawBufferPointer) -> String {
        let hash = SHA256()
        hash.update(bytes)
        return hash.finish()
    }

    /// The digest of a file; nil if it can't be read or is not a regular file.
    package static func digest(ofFile path: String) -> String? {
        let hash = SHA256()
        do {
            let file = try RegularFile(path)
            try file.forEachPiece(path) { hash.update($0) }
        } catch {
            return nil
        }
        return hash.finish()
    }

    deinit { EVP_MD_CTX_free(context) }

    package func update(_ bytes: UnsafeRawBufferPointer) { EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) }

    /// The digest of everything so far, in hexadecimal. Nothing may be added afterwards.
    package func finish() -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        EVP_DigestFinal_ex(context, &digest, nil)
        return digest.map { byte in
            let digits = Array("0123456789abcdef")
            return "\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
        }.joined()
    }
}
