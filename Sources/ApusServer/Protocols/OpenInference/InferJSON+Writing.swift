internal import Foundation
internal import NIOCore
internal import Remedies

extension InferJSON {
    /// A response's JSON, followed by the binary tensors, if any.
    struct Written: Sendable {
        var bytes: ByteBuffer
        /// Length of the JSON in bytes.
        var headLength: Int
    }

    static func write(_ response: InferResponse, _ form: Form) throws -> Written {
        let values = response.outputs.reduce(0) { $0 + (form.isBinary($1.name) ? 0 : $1.count) }
        guard values <= maxValues else {
            throw ServerError.badRequest(
                "The outputs have \(values) values; JSON is limited to \(maxValues)",
                remedy: "Request fewer outputs, or binary ones: binary_data_output.")
        }
        let outputs = try response.outputs.map { output in
            var object: [String: Any] = [
                "name": output.name, "datatype": output.datatype.rawValue, "shape": output.shape,
            ]
            if form.isBinary(output.name) {
                object["parameters"] = ["binary_data_size": output.byteCount]
            } else {
                object["data"] = try InferJSON.values(output)
            }
            return object
        }
        var object: [String: Any] = [
            "model_name": response.model, "model_version": response.version, "outputs": outputs,
        ]
        if let id = response.id { object["id"] = id }
        let head = try JSONSerialization.data(
            withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
        let binary = response.outputs.filter { form.isBinary($0.name) }
        var bytes = ByteBufferAllocator().buffer(capacity: head.count + binary.reduce(0) { $0 + $1.byteCount })
        bytes.writeBytes(head)
        for output in binary { output.write(to: &bytes) }
        return Written(bytes: bytes, headLength: head.count)
    }

    private static func values(_ tensor: InferTensor) throws -> [Any] {
        switch tensor.content {
        case .items(let items): return items.map { String(decoding: $0, as: UTF8.self) }
        case .numbers(let bytes):
            func list<Value>(_: Value.Type) -> [Value] {
                bytes.withUnsafeBytes { bytes in
                    stride(from: 0, to: bytes.count, by: MemoryLayout<Value>.size).map {
                        bytes.loadUnaligned(fromByteOffset: $0, as: Value.self)
                    }
                }
            }
            /// JSON has no NaN or infinity.
            func finite(_ values: [Double]) throws -> [Any] {
                guard values.allSatisfy(\.isFinite) else {
                    throw ServerError.badRequest(
                        "The output \(tensor.name) contains values that JSON cannot represent",
                        remedy: "Request binary outputs."
                    )
                }
                return values
            }
            return switch tensor.datatype {
            case .bool: bytes.map { $0 != 0 }
            case .uint8: bytes.map { Int($0) }
            case .int32: list(Int32.self).map { Int($0) }
            case .int64: list(Int64.self).map { Int($0) }
            case .float16: try finite(list(Float16.self).map { Double($0) })
            case .float32: try finite(list(Float.self).map { Double($0) })
            case .float64: try finite(list(Double.self))
            case .bytes: preconditionFailure("BYTES are items")
            }
        }
    }
}
