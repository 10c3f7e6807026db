internal import Foundation

/// Inference requests and responses as JSON with binary tensors behind it (the protocol's binary tensor data extension).
enum InferJSON {
    /// How the response is to be written.
    struct Form: Sendable {
        /// Whether outputs are binary unless they say otherwise.
        var isBinary = false
        /// By the name of an output that says.
        var outputs: [String: Bool] = [:]

        func isBinary(_ name: String) -> Bool { outputs[name] ?? isBinary }
    }

    /// Numbers in the JSON of a request or a response: some megabytes of text, and a hundred times as much in memory.
    static let maxValues = 2_000_000

    // MARK: Values of JSON

    static func dictionary(_ value: Any?, _ name: String) throws(ServerError) -> [String: Any] {
        guard let value else { return [:] }
        guard let object = value as? [String: Any] else { throw .badRequest("\"\(name)\" is not an object") }
        return object
    }

    /// True or false, and not 1 or 0, which Foundation takes for these too.
    static func flag(_ value: Any?, _ name: String) throws(ServerError) -> Bool? {
        guard let value else { return nil }
        guard let number = value as? NSNumber, ["c", "B"].contains(String(cString: number.objCType)) else {
            throw .badRequest("\(name) is neither true nor false")
        }
        return number.boolValue
    }

    static func integer(_ value: Any) -> Int? {
        guard let number = value as? NSNumber else { return nil }
        return Int(exactly: number.doubleValue)
    }
}
