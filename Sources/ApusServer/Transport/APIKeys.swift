package import Apus
internal import Foundation
internal import Hashing

/// The accepted API keys; empty if no key is required.
package struct APIKeys: Sendable {
    /// Digests, so that comparison time does not depend on the key.
    private let digests: [[UInt8]]

    package static let none = APIKeys([])

    package init(_ keys: [String]) { digests = keys.map { Array(SHA256.digest($0).utf8) } }

    /// Reads a file with one key per line; ignores empty lines and lines that begin with #.
    package init(file: String) throws(ApusError) {
        func failure(_ cause: String, _ remedy: String) -> ApusError {
            ApusError(.option, doing: "read the API keys \(file)", cause: cause, remedy: remedy)
        }
        let text = try SettingsText.read(file) { cause in
            failure(cause, "Set api-key-file to a text file with one key per line.")
        }
        let keys = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty && !$0.hasPrefix("#") }
        guard !keys.isEmpty else { throw failure("it contains no key", "Write at least one key into it.") }
        if let short = keys.first(where: { $0.utf8.count < 16 }) {
            throw failure(
                "a key has only \(short.utf8.count) bytes", "Use 16 or more: openssl rand -hex 32")
        }
        self.init(keys)
    }

    /// The key of a request: `Authorization: Bearer KEY`, or `X-API-Key: KEY`.
    static func presented(authorization: String?, apiKey: String?) -> String? {
        let bearer = authorization.flatMap { value in
            value.lowercased().hasPrefix("bearer ") ? String(value.dropFirst(7)) : nil
        }
        return bearer ?? apiKey
    }

    package var areWanted: Bool { !digests.isEmpty }

    /// Whether a key is accepted. Compares all digests in full, so timing leaks nothing.
    package func contains(_ key: String) -> Bool {
        let digest = Array(SHA256.digest(key).utf8)
        var found: UInt8 = 0
        for known in digests {
            let difference = zip(known, digest).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) }
            found |= difference == 0 ? 1 : 0
        }
        return found == 1
    }
}
