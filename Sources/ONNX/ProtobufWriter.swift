/// Writes the Protocol Buffers wire format. Large contents are referenced rather than copied, so writing a model needs little
/// more memory than its structure.
struct ProtobufWriter {
    private(set) var pieces: [UInt8] = []
    /// Contents to insert between `pieces`, in order.
    private(set) var inserts: [(place: Int, content: ONNXTensor.Payload)] = []
    /// Total bytes.
    private(set) var count = 0

    mutating func varint(_ value: UInt64) {
        var rest = value
        let start = pieces.count
        while rest >= 0x80 {
            pieces.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        pieces.append(UInt8(rest))
        count += pieces.count - start
    }

    private mutating func tag(_ number: Int, _ kind: UInt64) { varint(UInt64(number) << 3 | kind) }

    mutating func raw(_ bytes: [UInt8]) {
        pieces += bytes
        count += bytes.count
    }

    mutating func integer(_ number: Int, _ value: Int) {
        tag(number, 0)
        varint(UInt64(bitPattern: Int64(value)))
    }

    mutating func float(_ number: Int, _ value: Float) {
        tag(number, 5)
        pieces.append(little: value.bitPattern)
        count += 4
    }

    mutating func bytes(_ number: Int, _ bytes: [UInt8]) {
        tag(number, 2)
        varint(UInt64(bytes.count))
        raw(bytes)
    }

    mutating func text(_ number: Int, _ text: String) { bytes(number, Array(text.utf8)) }

    /// Text, omitted if empty, as in protobuf.
    mutating func optionalText(_ number: Int, _ text: String) { if !text.isEmpty { self.text(number, text) } }

    mutating func packed(_ number: Int, _ values: [Int64]) {
        var inner = ProtobufWriter()
        for value in values { inner.varint(UInt64(bitPattern: value)) }
        message(number, inner)
    }

    mutating func message(_ number: Int, _ inner: ProtobufWriter) {
        tag(number, 2)
        varint(UInt64(inner.count))
        inserts += inner.inserts.map { ($0.place + pieces.count, $0.content) }
        pieces += inner.pieces
        count += inner.count
    }

    mutating func content(_ number: Int, _ payload: ONNXTensor.Payload, byteCount: Int) {
        tag(number, 2)
        varint(UInt64(byteCount))
        inserts.append((pieces.count, payload))
        count += byteCount
    }
}
