internal import Apus
internal import Dispatch
internal import Foundation
internal import Remedies

/// Client JSON. Parsing needs many times its size in memory, and disproportionate time, so it is measured first.
package enum BoundedJSON {
    /// Longer than any number that a double or an integer needs. Foundation's parser is quadratic in the length.
    private static let maxNumberLength = 64
    /// More than any request needs. Foundation uses kilobytes per object, but only a hundred bytes per number.
    private static let maxObjects = 1000

    /// The parsed object; nil if the bytes are not one.
    ///
    /// - Throws: `ServerError` if it has more than `maxValues` values, or a number longer than any that makes sense.
    package static func object(_ bytes: ArraySlice<UInt8>, maxValues: Int) throws(ServerError) -> [String: Any]? {
        let size = bytes.withUnsafeBufferPointer { Size($0) }
        // Foundation would treat it as UTF-16 or UTF-32. JSON is UTF-8 (RFC 8259), where no character here has such a byte.
        guard !size.hasNUL else { return nil }
        guard size.values <= maxValues else {
            throw .tooLarge(
                "The JSON has more than \(maxValues) values",
                remedy: "Send tensors as binary data: binary_data_size, and Inference-Header-Content-Length.")
        }
        guard size.objects <= maxObjects else {
            throw .tooLarge("The JSON has more than \(maxObjects) objects", remedy: "Send several requests.")
        }
        guard size.longestNumber <= maxNumberLength else {
            throw .badRequest("The JSON has a number of more than \(maxNumberLength) characters")
        }
        guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
        return try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
    }

    /// The amount to parse.
    private struct Size {
        /// An upper bound on the number of values: characters outside strings that could begin one.
        var values = 1
        var objects = 0
        /// The longest run outside strings that could be part of a number.
        var longestNumber = 0
        var hasNUL = false

        init(_ bytes: UnsafeBufferPointer<UInt8>) {
            var isText = false
            var isEscaped = false
            var length = 0
            for byte in bytes {
                if isText {
                    if isEscaped {
                        isEscaped = false
                    } else if byte == UInt8(ascii: "\\") {
                        isEscaped = true
                    } else if byte == UInt8(ascii: "\"") {
                        isText = false
                    } else if byte == 0 {
                        hasNUL = true
                    }
                    continue
                }
                switch byte {
                case UInt8(ascii: "\""): isText = true
                case UInt8(ascii: ","), UInt8(ascii: "["): values += 1
                case UInt8(ascii: "{"):
                    values += 1
                    objects += 1
                case UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: ":"), 0x20, 0x09, 0x0a, 0x0d: break
                case 0: hasNUL = true
                default:
                    length += 1
                    longestNumber = max(longestNumber, length)
                    continue
                }
                length = 0
            }
        }
    }

    /// Bodies up to this size are handled in milliseconds, concurrently.
    private static let small = 262_144
    private static let queue = DispatchQueue(label: "apus.json")

    /// Reads or writes JSON of about this size off the cooperative pool. Large ones run one at a time, to bound memory, and do
    /// not delay small ones.
    static func work<Value: Sendable>(
        size: Int, _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        size <= small ? try await Blocking.run(work) : try await Blocking.run(on: queue, work)
    }
}
