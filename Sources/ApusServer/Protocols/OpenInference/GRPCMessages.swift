internal import Foundation
internal import NIOCore
internal import Remedies
internal import SwiftProtobuf

extension InferRequest {
    init(_ message: Inference_ModelInferRequest) throws(ServerError) {
        self.init(
            id: message.id.isEmpty ? nil : message.id, inputs: [],
            outputs: message.outputs.isEmpty ? nil : message.outputs.map(\.name))
        guard message.inputs.count <= 64 else { throw .badRequest("The request has more than 64 inputs") }
        try InferParameters.check(message.parameters.keys, .request)
        for input in message.inputs { try InferParameters.check(input.parameters.keys, .input(input.name)) }
        for output in message.outputs { try InferParameters.check(output.parameters.keys, .output(output.name)) }
        let raw = message.rawInputContents
        guard raw.isEmpty || raw.count == message.inputs.count else {
            throw .badRequest("There are \(message.inputs.count) inputs, but \(raw.count) raw_input_contents")
        }
        for (index, input) in message.inputs.enumerated() {
            let datatype = try Datatype(named: input.datatype, of: input.name)
            let shape = input.shape.map { Int($0) }
            inputs.append(
                raw.isEmpty
                    ? try InferTensor(
                        name: input.name, datatype: datatype, shape: shape,
                        content: try InferTensor.Content(input.contents, datatype))
                    : try InferTensor(
                        name: input.name, datatype: datatype, shape: shape, binary: [UInt8](raw[index])[...]))
        }
        threshold = try message.parameters["threshold"].map { parameter throws(ServerError) in
            let number: Double? =
                switch parameter.parameterChoice {
                case .doubleParam(let value): value
                case .int64Param(let value): Double(value)
                case .stringParam(let value): Double(value)
                default: nil
                }
            guard let number else { throw InferParameters.invalidThreshold }
            return try InferParameters.threshold(number)
        }
        limit = try message.parameters["limit"].map { parameter throws(ServerError) in
            guard case .int64Param(let value) = parameter.parameterChoice else { throw InferParameters.invalidLimit }
            return try InferParameters.limit(Int(value))
        }
    }
}

extension InferTensor.Content {
    fileprivate init(_ contents: Inference_InferTensorContents, _ datatype: Datatype) throws(ServerError) {
        func numbers<Value>(_ values: [Value]) -> Self { .numbers(values.withUnsafeBytes { Array($0)[...] }) }
        switch datatype {
        case .bool: self = numbers(contents.boolContents)
        case .uint8:
            guard contents.uintContents.allSatisfy({ $0 <= 255 }) else {
                throw .badRequest("A value is not of type UINT8")
            }
            self = numbers(contents.uintContents.map { UInt8($0) })
        case .int32: self = numbers(contents.intContents)
        case .int64: self = numbers(contents.int64Contents)
        case .float32: self = numbers(contents.fp32Contents)
        case .float64: self = numbers(contents.fp64Contents)
        case .bytes: self = .items(contents.bytesContents.map { [UInt8]($0)[...] })
        case .float16:
            throw .badRequest("FP16 has no typed contents field", remedy: "Send it in raw_input_contents.")
        }
    }
}

extension Inference_ModelInferResponse {
    init(_ response: InferResponse) {
        self.init()
        modelName = response.model
        modelVersion = response.version
        id = response.id ?? ""
        for output in response.outputs {
            outputs.append(
                .with {
                    $0.name = output.name
                    $0.datatype = output.datatype.rawValue
                    $0.shape = output.shape.map { Int64($0) }
                })
            rawOutputContents.append(output.binary)
        }
    }
}

extension InferTensor {
    /// The binary form, as in a message.
    fileprivate var binary: Data {
        if case .numbers(let bytes) = content { return Data(bytes) }
        var buffer = ByteBufferAllocator().buffer(capacity: byteCount)
        write(to: &buffer)
        return Data(buffer.readableBytesView)
    }
}

extension Inference_InferTensorContents {
    /// The size of its numbers as a tensor.
    var numberBytes: Int {
        boolContents.count + 4 * (intContents.count + uintContents.count + fp32Contents.count)
            + 8 * (int64Contents.count + uint64Contents.count + fp64Contents.count)
    }
}
