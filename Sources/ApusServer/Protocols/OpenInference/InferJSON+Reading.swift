internal import Foundation

extension InferJSON {
    private static let maxInputs = 64

    /// - Parameter headLength: the header Inference-Header-Content-Length; nil if the whole body is JSON.
    static func read(_ body: [UInt8], headLength: Int?) throws(ServerError) -> (InferRequest, Form) {
        if headLength == 0 {
            // The whole body is one raw input: an image without a length prefix.
            let image = try InferTensor(name: "image", datatype: .bytes, shape: [1], content: .items([body[...]]))
            return (InferRequest(inputs: [image]), Form())
        }
        let length = headLength ?? body.count
        guard (0...body.count).contains(length) else {
            throw .badRequest("Inference-Header-Content-Length is \(length), but the body has \(body.count) bytes")
        }
        guard let object = try BoundedJSON.object(body[..<length], maxValues: InferJSON.maxValues) else {
            throw .badRequest("The request is not a JSON object")
        }
        var request = InferRequest(inputs: [])
        var form = Form()
        request.id = object["id"] as? String
        try readParameters(object["parameters"], &request, &form)
        guard let inputs = object["inputs"] as? [[String: Any]], !inputs.isEmpty else {
            throw .badRequest("The request has no list of \"inputs\"")
        }
        guard inputs.count <= maxInputs else { throw .badRequest("The request has more than \(maxInputs) inputs") }
        var rest = body[length...]
        for input in inputs { request.inputs.append(try readInput(input, &rest)) }
        guard rest.isEmpty else {
            throw .badRequest("The body has \(rest.count) bytes more than its inputs")
        }
        try readOutputs(object["outputs"], &request, &form)
        return (request, form)
    }

    private static func readParameters(
        _ value: Any?, _ request: inout InferRequest, _ form: inout Form
    ) throws(ServerError) {
        let parameters = try dictionary(value, "parameters")
        try InferParameters.check(parameters.keys, .request)
        form.isBinary = try flag(parameters["binary_data_output"], "binary_data_output") ?? false
        if let threshold = parameters["threshold"] {
            guard let number = (threshold as? NSNumber)?.doubleValue else { throw InferParameters.invalidThreshold }
            request.threshold = try InferParameters.threshold(number)
        }
        if let limit = parameters["limit"] {
            guard let number = integer(limit) else { throw InferParameters.invalidLimit }
            request.limit = try InferParameters.limit(number)
        }
    }

    private static func readOutputs(
        _ value: Any?, _ request: inout InferRequest, _ form: inout Form
    ) throws(ServerError) {
        guard let value else { return }
        guard let outputs = value as? [[String: Any]] else {
            throw .badRequest("\"outputs\" is not a list of objects")
        }
        // Triton's clients send an empty list to request all.
        request.outputs = outputs.isEmpty ? nil : []
        for output in outputs {
            guard let name = output["name"] as? String else { throw .badRequest("An output has no name") }
            request.outputs?.append(name)
            let parameters = try dictionary(output["parameters"], "parameters")
            try InferParameters.check(parameters.keys, .output(name))
            form.outputs[name] = try flag(parameters["binary_data"], "binary_data")
        }
    }

    private static func readInput(
        _ object: [String: Any], _ rest: inout ArraySlice<UInt8>
    ) throws(ServerError) -> InferTensor {
        guard let name = object["name"] as? String else { throw .badRequest("An input has no name") }
        let datatype = try Datatype(named: object["datatype"] as? String ?? "", of: name)
        guard let sides = object["shape"] as? [Any], sides.count <= 8 else {
            throw .badRequest("The input \(Quoted(name)) has no shape")
        }
        var shape: [Int] = []
        for side in sides {
            guard let number = integer(side), number >= 0 else {
                throw .badRequest("The shape of the input \(Quoted(name)) is not a list of whole numbers")
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

    /// Elements of a list, either nested like the shape or flat.
    private static func content(
        _ data: [Any], _ datatype: Datatype, _ name: String
    ) throws(ServerError) -> InferTensor.Content {
        var numbers: [NSNumber] = []
        var items: [ArraySlice<UInt8>] = []
        var open = data.reversed().map { ($0, 0) }
        while let (element, depth) = open.popLast() {
            if let list = element as? [Any] {
                guard depth < 8 else { throw .badRequest("The data of \(Quoted(name)) is nested too deeply") }
                open.append(contentsOf: list.reversed().map { ($0, depth + 1) })
            } else if datatype == .bytes, let text = element as? String {
                // JSON has no bytes type, so files are base64.
                guard let bytes = Data(base64Encoded: text) else {
                    throw .badRequest("An element of \(Quoted(name)) is not base64")
                }
                items.append([UInt8](bytes)[...])
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
            return .numbers(values.withUnsafeBytes { Array($0)[...] })
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

    /// A double can't represent all of these, so a number that Foundation parses as an integer stays one.
    private static func int64(_ number: NSNumber) -> Int64? {
        switch String(cString: number.objCType) {
        // At 2^63 it may have been rounded from another number.
        case "d", "f": abs(number.doubleValue) < 0x1p63 ? Int64(exactly: number.doubleValue) : nil
        case "Q": Int64(exactly: number.uint64Value)
        default: number.int64Value
        }
    }
}
