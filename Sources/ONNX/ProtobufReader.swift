/// Reads the Protocol Buffers wire format (protobuf.dev/programming-guides/encoding) without copying.
///
/// Not a library, so that a model's weights, sometimes gigabytes, stay in the mapped file.
struct ProtobufReader {
    struct Field {
        var number: Int
        var value: Value
        /// The field as in the file, tag included.
        var raw: Bytes
    }

    enum Value {
        case varint(UInt64)
        case fixed64(UInt64)
        case fixed32(UInt32)
        case bytes(Bytes)
    }

    private var reader: ByteReader

    init(_ bytes: Bytes) { reader = ByteReader(bytes, of: "the model") }

    /// The next field; nil at the end.
    mutating func next() throws(ModelFileError) -> Field? {
        if reader.isAtEnd { return nil }
        let start = reader.position
        let tag = try varint()
        guard tag >> 3 > 0, tag >> 3 < 1 << 29 else {
            throw .malformed("a field has no number")
        }
        let value: Value
        switch tag & 7 {
        case 0: value = .varint(try varint())
        case 1: value = .fixed64(try reader.number())
        case 2:
            let length = try varint()
            guard length <= UInt64(reader.remaining) else {
                throw .malformed("a field at byte \(start) claims \(length) bytes, but \(reader.remaining) are left")
            }
            value = .bytes(try reader.take(Int(length)))
        case 5: value = .fixed32(try reader.number())
        default: throw .malformed("a field has an unknown wire type")
        }
        return Field(number: Int(tag >> 3), value: value, raw: reader.bytes.slice(start..<reader.position))
    }

    mutating func varint() throws(ModelFileError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 70, by: 7) {
            let byte = try reader.byte()
            value |= UInt64(byte & 0x7F) << UInt64(shift)
            if byte < 0x80 { return value }
        }
        throw .malformed("a number does not end")
    }

    var isAtEnd: Bool { reader.isAtEnd }
}

extension ProtobufReader.Field {
    func bytes() throws(ModelFileError) -> Bytes {
        guard case .bytes(let bytes) = value else { throw wrongKind }
        return bytes
    }

    func text() throws(ModelFileError) -> String {
        guard let text = try bytes().text else { throw .malformed("a name in the model is not UTF-8") }
        return text
    }

    func integer() throws(ModelFileError) -> Int {
        guard case .varint(let value) = value else { throw wrongKind }
        return Int(Int64(bitPattern: value))
    }

    /// Repeated numbers come one by one, or packed into one field.
    func integers() throws(ModelFileError) -> [Int64] {
        switch value {
        case .varint(let value): return [Int64(bitPattern: value)]
        case .bytes(let bytes):
            var reader = ProtobufReader(bytes)
            var values: [Int64] = []
            while !reader.isAtEnd { values.append(Int64(bitPattern: try reader.varint())) }
            return values
        default: throw wrongKind
        }
    }

    func floats() throws(ModelFileError) -> [Float] {
        switch value {
        case .fixed32(let bits): return [Float(bitPattern: bits)]
        case .bytes(let bytes):
            guard bytes.count.isMultiple(of: 4) else { throw wrongKind }
            return bytes.withUnsafeBytes { bytes in
                (0..<(bytes.count / 4)).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
            }
        default: throw wrongKind
        }
    }

    func doubles() throws(ModelFileError) -> [Double] {
        switch value {
        case .fixed64(let bits): return [Double(bitPattern: bits)]
        case .bytes(let bytes):
            guard bytes.count.isMultiple(of: 8) else { throw wrongKind }
            return bytes.withUnsafeBytes { bytes in
                (0..<(bytes.count / 8)).map { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Double.self) }
            }
        default: throw wrongKind
        }
    }

    private var wrongKind: ModelFileError {
        .malformed("field \(number) has the wrong wire type")
    }
}
