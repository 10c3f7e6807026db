internal import Remedies

extension ONNXTensor {
    /// Reads a `TensorProto`. Elements in typed fields (`float_data` and its like) become raw bytes.
    init(_ bytes: Bytes) throws(ModelFileError) {
        var reader = ProtobufReader(bytes)
        var (number, name, location) = (0, "", 0)
        var dimensions: [Int64] = []
        var raw: Bytes?
        var typed: [ProtobufReader.Field] = []
        var strings: [Bytes] = []
        var external: [String: String] = [:]
        var unknown: [UInt8] = []
        while let field = try reader.next() {
            switch field.number {
            case 1: dimensions += try field.integers()
            case 2: number = try field.integer()
            case 3: throw ONNXTensor.segmented
            // Their meaning depends on the type, which may come after them.
            case 4, 5, 7, 10, 11: typed.append(field)
            case 6: strings.append(try field.bytes())
            case 8: name = try field.text()
            case 9: raw = try field.bytes()
            case 13:
                let (key, value) = try ONNXModel.entry(field.bytes())
                external[key] = value
            case 14: location = try field.integer()
            default: unknown += field.raw.array
            }
        }
        func invalid(_ cause: String) -> ModelFileError { .malformed("the tensor \(name) \(cause)") }
        guard let type = DataType(rawValue: number) else { throw invalid("is of the unknown element type \(number)") }
        guard let count = ONNXTensor.elementCount(dimensions) else {
            throw invalid("has the invalid shape \(dimensions)")
        }
        let payload: Payload
        if location == 1 {
            guard let place = ONNXTensor.external(external) else { throw invalid("lacks the location of its elements") }
            payload = place
        } else if type == .string {
            guard strings.count == count else { throw invalid("has \(strings.count) strings instead of \(count)") }
            payload = .strings(strings)
        } else {
            let content: Bytes
            if let raw { content = raw } else { content = Bytes(try ONNXTensor.elements(typed, of: type)) }
            guard content.count == type.byteCount(count) else {
                throw invalid("of shape \(dimensions) has \(content.count) bytes, which doesn't match")
            }
            payload = .raw(content)
        }
        self.init(name: name, type: type, shape: dimensions.map { Int($0) }, payload: payload)
        self.unknown = unknown
    }

    private static let segmented = ModelFileError(
        .unsupported, "it has a tensor in segments, which is not supported", remedy: "Export the model again.")

    /// The product of the dimensions; nil if one is negative or the product overflows.
    private static func elementCount(_ dimensions: [Int64]) -> Int? {
        var count = 1
        for dimension in dimensions {
            let (product, overflow) = count.multipliedReportingOverflow(by: Int(dimension))
            guard dimension >= 0, !overflow else { return nil }
            count = product
        }
        return count
    }

    /// The location of the elements in `external_data`; nil if it is missing or a number is invalid.
    private static func external(_ entries: [String: String]) -> Payload? {
        guard let path = entries["location"], let offset = Int(entries["offset"] ?? "0"), offset >= 0 else {
            return nil
        }
        guard let text = entries["length"] else { return .external(location: path, offset: offset, length: nil) }
        guard let length = Int(text), length >= 0 else { return nil }
        return .external(location: path, offset: offset, length: length)
    }

    /// The elements in `float_data`, `int32_data`, `int64_data`, `double_data` or `uint64_data`, depending on the type.
    private static func elements(
        _ fields: [ProtobufReader.Field], of type: DataType
    ) throws(ModelFileError) -> [UInt8] {
        let number =
            switch type {
            case .float32, .complex64: 4
            case .int64: 7
            case .float64, .complex128: 10
            case .uint32, .uint64: 11
            default: 5
            }
        var bytes: [UInt8] = []
        for field in fields where field.number == number {
            switch number {
            case 4: for value in try field.floats() { bytes.append(little: value.bitPattern) }
            case 10: for value in try field.doubles() { bytes.append(little: value.bitPattern) }
            default: for value in try field.integers() { bytes.append(integer: value, as: type) }
            }
        }
        return bytes
    }
}

extension [UInt8] {
    package mutating func append(little value: some FixedWidthInteger & BitwiseCopyable) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    /// f16 and bf16 are stored as their bits, 4-bit types packed in pairs.
    fileprivate mutating func append(integer value: Int64, as type: DataType) {
        switch type.bits {
        case 64: append(little: value)
        case 32: append(little: UInt32(truncatingIfNeeded: value))
        case 16: append(little: UInt16(truncatingIfNeeded: value))
        default: append(UInt8(truncatingIfNeeded: value))
        }
    }
}
