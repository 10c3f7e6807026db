internal import Foundation

/// Inference requests and responses as JSON followed by binary tensors (the protocol's binary tensor data extension).
enum InferJSON {
    /// How to write the response.
    struct Form: Sendable {
        /// Whether outputs are binary by default.
        var isBinary = false
        /// Overrides, by output name.
        var outputs: [String: Bool] = [:]

        func isBinary(_ name: String) -> Bool { outputs[name] ?? isBinary }
    }

    /// Maximum numbers in the JSON of a request or a response: a few megabytes of text, and a hundred times that in memory.
    static let maxValues = 2_000_000

    // MARK: Values of JSON

    static func dictionary(_ value: Any?, _ name: String) throws(ServerError) -> [String: Any] {
        guard let value else { return [:] }
        guard let object = value as? [String: Any] else { throw .badRequest("\"\(name)\" is not an object") }
        return object
    }

    /// True or false, but not 1 or 0, which Foundation also accepts.
    static func flag(_ value: Any?, _ name: String) throws(ServerError) -> Bool? {
        guard let value else { return nil }
        guard let number = value as? NSNumber, ["c", "B"].contains(String(cString: number.objCType)) else {
            throw .badRequest("\(name) must be true or false")
        }
        return number.boolValue
    }

    static func integer(_ value: Any) -> Int? {
        guard let number = value as? NSNumber else { return nil }
        return Int(exactly: number.doubleValue)
    }
}
