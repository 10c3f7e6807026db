internal import Apus
internal import Files

/// Text files that settings refer to. Reads regular files only: a pipe without a writer would block startup.
enum SettingsText {
    private static let maxBytes = 1_000_000

    /// - Parameter failure: makes an error from a cause.
    static func read(_ path: String, _ failure: (String) -> ApusError) throws(ApusError) -> String {
        let bytes: [UInt8]?
        do {
            bytes = try BoundedFile.bytes(atPath: path, limit: maxBytes)
        } catch {
            var named = failure(error.cause)
            named.remedy = error.remedy
            throw named
        }
        guard let bytes else { throw failure("it has more than \(maxBytes) bytes") }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw failure("it is not UTF-8 text") }
        return text
    }
}
