/// The memory that a ModelInferRequest needs.
package enum InferMessageSize {
    /// Overhead of a list element.
    private static let element = 64

    /// The approximate size of the decoded message; if it is truncated, decoding fails as well.
    package static func decoded(_ message: UnsafeRawBufferPointer) -> Int {
        fields(of: message) { field, content in
            switch field {
            case 5: fields(of: content, input)
            case 7: content.count + element
            default: 8 * content.count + element
            }
        }
    }

    /// InferInputTensor
    private static func input(_ field: Int, _ content: UnsafeRawBufferPointer) -> Int {
        field == 5 ? fields(of: content, contents) : 8 * content.count + element
    }

    /// InferTensorContents: packed lists of numbers, and lists of bytes.
    private static func contents(_ field: Int, _ content: UnsafeRawBufferPointer) -> Int {
        // The last byte of a varint has its highest bit clear.
        func numbers() -> Int { content.reduce(0) { $0 + ($1 < 0x80 ? 1 : 0) } }
        return switch field {
        case 1: numbers()
        case 2, 4: 4 * numbers()
        case 3, 5: 8 * numbers()
        case 6, 7: content.count
        default: content.count + element
        }
    }

    /// The sum over a message's fields; a single number counts as a list element.
    private static func fields(
        of message: UnsafeRawBufferPointer, _ size: (Int, UnsafeRawBufferPointer) -> Int
    ) -> Int {
        var (position, total) = (0, element)
        func varint() -> Int? {
            var value: UInt64 = 0
            for shift in stride(from: 0, to: 64, by: 7) {
                guard position < message.count else { return nil }
                let byte = message[position]
                position += 1
                value |= UInt64(byte & 0x7f) << UInt64(shift)
                if byte < 0x80 { return Int(truncatingIfNeeded: value) }
            }
            return nil
        }
        while let tag = varint() {
            switch tag & 7 {
            case 0:
                guard varint() != nil else { return total }
                total += 16
            case 1:
                position += 8
                total += 16
            case 2:
                guard let length = varint(), length >= 0, length <= message.count - position else { return total }
                total += size(tag >> 3, UnsafeRawBufferPointer(rebasing: message[position..<(position + length)]))
                position += length
            case 5:
                position += 4
                total += 16
            default: total += 16
            }
        }
        return total
    }
}
