package import ONNX
internal import Remedies

/// A tensor of a checkpoint: a view of bytes in the file, read on demand.
package struct CheckpointTensor: Sendable {
    package let type: ScalarType
    package let shape: [Int]
    /// From the first to the last element.
    private let storage: Bytes
    /// The step between elements along each dimension.
    private let strides: [Int]

    /// The number of elements.
    package var count: Int { shape.reduce(1, *) }

    /// - Parameters:
    ///   - storage: the whole storage that the tensor views.
    ///   - offset: the tensor's first element.
    /// - Throws: if the view is not within the storage, or repeats elements.
    init(type: ScalarType, shape: [Int], strides: [Int], offset: Int, storage: Bytes) throws(ModelToolsError) {
        guard shape.count == strides.count, shape.count <= 16 else {
            throw .malformed("a tensor has \(shape.count) dimensions and \(strides.count) strides")
        }
        guard shape.allSatisfy({ $0 >= 0 }) else { throw .malformed("a tensor has a negative size \(shape)") }
        guard strides.allSatisfy({ $0 >= 0 }), offset >= 0 else {
            throw .malformed("a tensor of size \(shape) has negative strides \(strides) or offset \(offset)")
        }
        let available = storage.count / type.size
        var count = 1
        var last = offset
        var isOutside = false
        // A dimension of size 0 or 1 is never stepped along: its stride may be anything.
        let steps = zip(shape, strides).map { $0 > 1 ? $1 : 0 }
        // The product of all sizes must not overflow, even if one of them is 0.
        var product = 1
        for (size, step) in zip(shape, steps) {
            let (values, first) = count.multipliedReportingOverflow(by: size)
            let (reach, second) = step.multipliedReportingOverflow(by: max(0, size - 1))
            let (sum, third) = last.addingReportingOverflow(reach)
            let (bound, fourth) = product.multipliedReportingOverflow(by: max(1, size))
            (count, last, product) = (values, sum, bound)
            isOutside = isOutside || first || second || third || fourth
            if isOutside { break }
        }
        guard !isOutside, count == 0 || last < available else {
            throw .malformed(
                "a tensor of size \(shape), strides \(strides) and offset \(offset) reaches past the end of its storage of "
                    + "\(available) elements")
        }
        // An expanded tensor can be small in the file and large in memory.
        guard count <= max(0, last - offset + 1) else {
            throw ModelToolsError(
                .unsupported, "a tensor of size \(shape) and strides \(strides) repeats elements of its storage",
                remedy: "Save it with .contiguous().")
        }
        self.type = type
        self.shape = shape
        self.strides = steps
        self.storage =
            count == 0 ? storage.slice(0..<0) : storage.slice((offset * type.size)..<((last + 1) * type.size))
    }

    private var isContiguous: Bool {
        guard !shape.contains(0) else { return true }
        var expected = 1
        for (size, stride) in zip(shape, strides).reversed() where size != 1 {
            if stride != expected { return false }
            expected *= size
        }
        return true
    }

    /// A range of rows along the first dimension.
    package func rows(_ range: Range<Int>) throws(ModelToolsError) -> CheckpointTensor {
        precondition(!shape.isEmpty && range.lowerBound >= 0 && range.upperBound <= shape[0], "rows of the tensor")
        var part = shape
        part[0] = range.count
        let isEmpty = part.contains(0)
        return try CheckpointTensor(
            type: type, shape: part, strides: strides, offset: isEmpty ? 0 : range.lowerBound * strides[0],
            storage: storage)
    }

    /// Nil if the size overflows.
    static func rowMajor(_ shape: [Int]) -> [Int]? {
        var strides = [Int](repeating: 1, count: shape.count)
        for index in shape.indices.dropLast().reversed() {
            let (product, overflow) = strides[index + 1].multipliedReportingOverflow(by: max(1, shape[index + 1]))
            if overflow { return nil }
            strides[index] = product
        }
        return strides
    }

    /// The bytes of the elements if they are stored in row-major order; nothing is copied.
    package var contiguousBytes: Bytes? { isContiguous ? storage : nil }

    /// The elements as f32, in row-major order. f64 is rounded to nearest.
    package func floats() -> [Float] {
        // Each weight is read only once or twice: its pages need not stay.
        defer { storage.release() }
        return switch type {
        case .float32: elements(UInt32.self) { Float(bitPattern: UInt32(littleEndian: $0)) }
        case .float16: elements(UInt16.self) { Float(Float16(bitPattern: UInt16(littleEndian: $0))) }
        case .bfloat16: elements(UInt16.self) { Float(bitPattern: UInt32(UInt16(littleEndian: $0)) << 16) }
        case .float64: elements(UInt64.self) { Float(Double(bitPattern: UInt64(littleEndian: $0))) }
        case .uint8: elements(UInt8.self) { Float($0) }
        case .int8: elements(Int8.self) { Float($0) }
        case .int16: elements(Int16.self) { Float(Int16(littleEndian: $0)) }
        case .int32: elements(Int32.self) { Float(Int32(littleEndian: $0)) }
        case .int64: elements(Int64.self) { Float(Int64(littleEndian: $0)) }
        case .bool: elements(UInt8.self) { $0 == 0 ? 0 : 1 }
        }
    }

    private func elements<Raw: BitwiseCopyable>(_: Raw.Type, _ convert: (Raw) -> Float) -> [Float] {
        let count = count
        guard count > 0 else { return [] }
        let size = MemoryLayout<Raw>.size
        return storage.withUnsafeBytes { bytes in
            [Float](unsafeUninitializedCapacity: count) { target, written in
                if isContiguous {
                    for index in 0..<count {
                        target.initializeElement(
                            at: index, to: convert(bytes.loadUnaligned(fromByteOffset: index * size, as: Raw.self)))
                    }
                } else {
                    var place = [Int](repeating: 0, count: shape.count)
                    var offset = 0
                    for index in 0..<count {
                        target.initializeElement(
                            at: index, to: convert(bytes.loadUnaligned(fromByteOffset: offset * size, as: Raw.self)))
                        var dimension = shape.count - 1
                        while dimension >= 0 {
                            place[dimension] += 1
                            offset += strides[dimension]
                            if place[dimension] < shape[dimension] { break }
                            offset -= strides[dimension] * shape[dimension]
                            place[dimension] = 0
                            dimension -= 1
                        }
                    }
                }
                written = count
            }
        }
    }
}
