#if Server
    internal import Dispatch
    internal import Foundation

    /// JSON of clients. What it takes to read is many times its bytes, so how much there is in it is looked at before.
    enum BoundedJSON {
        /// The object that the bytes are; nil if they are none.
        ///
        /// - Throws: `ServerError` if it has more values than that.
        static func object(_ bytes: ArraySlice<UInt8>, mostValues: Int) throws(ServerError) -> [String: Any]? {
            guard values(bytes) <= mostValues else {
                throw .tooLarge(
                    "The JSON has more than \(mostValues) values",
                    remedy: "Send tensors as binary data: binary_data_size, and Inference-Header-Content-Length.")
            }
            return try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
        }

        /// No fewer than the values in it: what could begin one, outside of strings.
        private static func values(_ bytes: ArraySlice<UInt8>) -> Int {
            var count = 1
            var isText = false
            var isEscaped = false
            for byte in bytes {
                if isText {
                    if isEscaped {
                        isEscaped = false
                    } else if byte == UInt8(ascii: "\\") {
                        isEscaped = true
                    } else if byte == UInt8(ascii: "\"") {
                        isText = false
                    }
                } else {
                    switch byte {
                    case UInt8(ascii: "\""): isText = true
                    case UInt8(ascii: ","), UInt8(ascii: "["), UInt8(ascii: "{"): count += 1
                    default: break
                    }
                }
            }
            return count
        }

        private static let queue = DispatchQueue(label: "apus.json")

        /// Reading and writing of much JSON: off the cooperative pool, and one after the other, as it takes memory.
        static func work<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
            try await Blocking.run(on: queue, work)
        }
    }
#endif
