internal import Foundation

/// Infer requests and answers as JSON with binary tensors behind it (the protocol's binary tensor data extension).
enum InferJSON {
    /// How the answer is to be written.
    struct Form: Sendable {
        /// Whether outputs are binary unless they say otherwise.
        var isBinary = false
        /// By the name of an output that says.
        var outputs: [String: Bool] = [:]

        func isBinary(_ name: String) -> Bool { outputs[name] ?? isBinary }
    }

    /// Numbers in the JSON of a request or a response: some megabytes of text, and a hundred times as much in memory.
    private static let maxValues = 2_000_000

    /// - Parameter headLength: the header Inference-Header-Content-Length; nil where all is JSON.
    static func read(
        _ body: [UInt8], headLength: Int?, model: String, version: String?
    ) throws(ServerError) -> (InferRequest, Form) {
        if headLength == 0 {
            // The whole body is one raw input: a picture, without its length before it.
            let image = try InferTensor(name: "image", datatype: .bytes, shape: [1], content: .items([body]))
            return (InferRequest(model: model, version: version, inputs: [image]), Form())
        }
        let length = headLength ?? body.count
        guard (0...body.count).contains(length) else {
            throw .badRequest(
                "Inference-Header-Content-Length is \(length), but the body has \(body.count) bytes")
        }
        guard let object = try BoundedJSON.object(body[..<length], maxValues: InferJSON.maxValues) else {
            throw .badRequest("The request is no JSON object")
        }
        var request = InferRequest(model: model, version: version, inputs: [])
        var form = Form()
        request.id = object["id"] as? String
        let parameters = try dictionary(object["parameters"], "parameters")
        try InferParameters.check(parameters.keys, .request)
        form.isBinary = try flag(parameters["binary_data_output"], "binary_data_output") ?? false
        if let threshold = parameters["threshold"] {
            guard let number = (threshold as? NSNumber)?.doubleValue, (0...1).contains(number) else {
                throw .badRequest("The parameter threshold is no number from 0 to 1")
            }
            request.threshold = Float(number)
        }
        if let limit = parameters["limit"] {
            guard let number = integer(limit), (1...1000).contains(number) else {
                throw .badRequest("The parameter limit is no whole number from 1 to 1000")
            }
            request.limit = number
        }
        guard let inputs = object["inputs"] as? [[String: Any]], !inputs.isEmpty else {
            throw .badRequest("The request has no list of \"inputs\"")
        }
        guard inputs.count <= 64 else { throw .badRequest("The request has more than 64 inputs") }
        var rest = body[length...]
        for input in inputs { request.inputs.append(try read(input, &rest)) }
        guard rest.isEmpty else {
            throw .badRequest("The body has \(rest.count) bytes more than its inputs")
        }
        if let outputs = object["outputs"] {
            guard let outputs = outputs as? [[String: Any]] else {
                throw .badRequest("\"outputs\" is no list of objects")
            }
            // Triton's clients send an empty list for all.
            request.outputs = outputs.isEmpty ? nil : []
            for output in outputs {
                guard let name = output["name"] as? String else { throw .badRequest("An output has no name") }
                request.outputs?.append(name)
                let parameters = try dictionary(output["parameters"], "parameters")
                try InferParameters.check(parameters.keys, .output(name))
                form.outputs[name] = try flag(parameters["binary_data"], "binary_data")
            }
        }
        return (request, form)
    }

    private static func read(
        _ object: [String: Any], _ rest: inout ArraySlice<UInt8>
    ) throws(ServerError) -> InferTensor {
        guard let name = object["name"] as? String else { throw .badRequest("An input has no name") }
        guard let type = object["datatype"] as? String, let datatype = Datatype(rawValue: type) else {
            throw .badRequest(
                "The input \(Quoted(name)) has no datatype that is known",
                remedy: "There are BOOL, UINT8, INT32, INT64, FP16, FP32, FP64 and BYTES.")
        }
        guard let sides = object["shape"] as? [Any], sides.count <= 8 else {
            throw .badRequest("The input \(Quoted(name)) has no shape")
        }
        var shape: [Int] = []
        for side in sides {
            guard let number = integer(side), number >= 0 else {
                throw .badRequest("The shape of the input \(Quoted(name)) is no list of whole numbers")
            }
            shape.append(number)
        }
        let parameters = try dictionary(object["parameters"], "parameters")
        try InferParameters.check(parameters.keys, .input(name))
        if let size = parameters["binary_data_size"] {
            guard let size = integer(size), (0...rest.count).contains(size) else {
                throw .badRequest("binary_data_size of \(Quoted(name)) is not within the body")
            }
            defer { rest = rest.dropFirst(size) }
            return try InferTensor(name: name, datatype: datatype, shape: shape, binary: rest.prefix(size))
        }
        guard let data = object["data"] as? [Any] else {
            throw .badRequest("The input \(Quoted(name)) has no data")
        }
        return try InferTensor(
            name: name, datatype: datatype, shape: shape, content: try content(data, datatype, name))
    }

    /// Elements of a list, which may be nested as the shape is or flat.
    private static func content(
        _ data: [Any], _ datatype: Datatype, _ name: String
    ) throws(ServerError) -> InferTensor.Content {
        var numbers: [NSNumber] = []
        var items: [[UInt8]] = []
        var open = data.reversed().map { ($0, 0) }
        while let (element, depth) = open.popLast() {
            if let list = element as? [Any] {
                guard depth < 8 else { throw .badRequest("The data of \(Quoted(name)) is nested too deeply") }
                open.append(contentsOf: list.reversed().map { ($0, depth + 1) })
            } else if datatype == .bytes, let text = element as? String {
                // JSON holds no bytes, so files come as base64.
                guard let bytes = Data(base64Encoded: text) else {
                    throw .badRequest("An element of \(Quoted(name)) is not base64")
                }
                items.append([UInt8](bytes))
            } else if let number = element as? NSNumber, datatype != .bytes {
                numbers.append(number)
            } else {
                throw .badRequest("An element of \(Quoted(name)) is not of type \(datatype.rawValue)")
            }
        }
        func bytes<Value>(_ convert: (NSNumber) -> Value?) throws(ServerError) -> InferTensor.Content {
            var values: [Value] = []
            values.reserveCapacity(numbers.count)
            for number in numbers {
                guard let value = convert(number) else {
                    throw .badRequest(
                        "\(Quoted("\(number)")) in \(Quoted(name)) is not of type \(datatype.rawValue)")
                }
                values.append(value)
            }
            return .numbers(values.withUnsafeBytes { Array($0) })
        }
        return switch datatype {
        case .bytes: .items(items)
        case .bool:
            try bytes { ["c", "B"].contains(String(cString: $0.objCType)) ? UInt8($0.boolValue ? 1 : 0) : nil }
        case .uint8: try bytes { UInt8(exactly: $0.doubleValue) }
        case .int32: try bytes { Int32(exactly: $0.doubleValue) }
        case .int64: try bytes(int64)
        case .float16: try bytes { Float16($0.doubleValue) }
        case .float32: try bytes { Float($0.doubleValue) }
        case .float64: try bytes { $0.doubleValue }
        }
    }

    /// A double does not hold all of these, so a number that Foundation reads as an integer stays one.
    private static func int64(_ number: NSNumber) -> Int64? {
        switch String(cString: number.objCType) {
        // At 2^63 it may have been another number before it was rounded.
        case "d", "f": abs(number.doubleValue) < 0x1p63 ? Int64(exactly: number.doubleValue) : nil
        case "Q": Int64(exactly: number.uint64Value)
        default: number.int64Value
        }
    }

    // MARK: Writing

    /// The JSON, and the binary tensors that follow it.
    static func write(_ response: InferResponse, _ form: Form) throws -> (head: Data, tail: [UInt8]) {
        let values = response.outputs.reduce(0) { $0 + (form.isBinary($1.name) ? 0 : $1.count) }
        guard values <= maxValues else {
            throw ServerError.badRequest(
                "The outputs have \(values) values; JSON may have \(maxValues)",
                remedy: "Request fewer outputs, or binary ones: binary_data_output.")
        }
        var tail: [UInt8] = []
        var outputs: [[String: Any]] = []
        for output in response.outputs {
            var object: [String: Any] = [
                "name": output.name, "datatype": output.datatype.rawValue, "shape": output.shape,
            ]
            if form.isBinary(output.name) {
                let bytes = output.binary
                object["parameters"] = ["binary_data_size": bytes.count]
                tail += bytes
            } else {
                object["data"] = try InferJSON.values(output)
            }
            outputs.append(object)
        }
        var object: [String: Any] = [
            "model_name": response.model, "model_version": response.version, "outputs": outputs,
        ]
        if let id = response.id { object["id"] = id }
        let head = try JSONSerialization.data(
            withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
        return (head, tail)
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
            /// JSON has no NaN and no infinity.
            func finite(_ values: [Double]) throws -> [Any] {
                guard values.allSatisfy(\.isFinite) else {
                    throw ServerError.badRequest(
                        "The output \(tensor.name) holds values that JSON cannot", remedy: "Ask for binary outputs."
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

    // MARK: Values of JSON

    static func dictionary(_ value: Any?, _ name: String) throws(ServerError) -> [String: Any] {
        guard let value else { return [:] }
        guard let object = value as? [String: Any] else { throw .badRequest("\"\(name)\" is no object") }
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

    private static func integer(_ value: Any) -> Int? {
        guard let number = value as? NSNumber else { return nil }
        return Int(exactly: number.doubleValue)
    }
}
