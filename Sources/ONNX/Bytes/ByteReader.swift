/// Reads bytes sequentially, never past their end. Numbers are little-endian.
package struct ByteReader {
    package let bytes: Bytes
    package private(set) var position: Int
    /// What the bytes belong to, for errors.
    private let what: String

    package init(_ bytes: Bytes, from position: Int = 0, of what: String) {
        self.bytes = bytes
        self.position = position
        self.what = what
    }

    package var remaining: Int { bytes.count - position }
    package var isAtEnd: Bool { remaining == 0 }

    package mutating func byte() throws(ModelFileError) -> UInt8 { try number() }

    package mutating func number<Number: FixedWidthInteger & BitwiseCopyable>(
        _: Number.Type = Number.self
    ) throws(ModelFileError) -> Number {
        let size = MemoryLayout<Number>.size
        guard remaining >= size else { throw end(size) }
        defer { position += size }
        return bytes.withUnsafeBytes {
            Number(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: Number.self))
        }
    }

    /// A 64-bit length, which is untrusted.
    package mutating func length() throws(ModelFileError) -> Int {
        let value: UInt64 = try number()
        guard let length = Int(exactly: value) else { throw end(value) }
        return length
    }

    package mutating func take(_ count: Int) throws(ModelFileError) -> Bytes {
        guard count >= 0, count <= remaining else { throw end(count) }
        defer { position += count }
        return bytes.slice(position..<(position + count))
    }

    /// The bytes up to the next newline, which is consumed too.
    package mutating func line() throws(ModelFileError) -> Bytes {
        let rest = bytes.slice(position..<bytes.count)
        guard let length = rest.withUnsafeBytes({ $0.firstIndex(of: 0x0A) }) else { throw end(1) }
        position += length + 1
        return rest.slice(0..<length)
    }

    private func end(_ wanted: some BinaryInteger) -> ModelFileError {
        .malformed("\(what) ends at byte \(bytes.count), but \(wanted) bytes should follow byte \(position)")
    }
}
