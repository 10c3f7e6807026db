/// An immutable tensor: an element type, a shape and elements in row-major order.
package struct Tensor: Sendable {
    package let elementType: ElementType
    package let shape: [Int]
    private let storage: any TensorStorage

    /// The number of elements.
    package var count: Int { storage.bytes.count / elementType.size }

    /// A tensor over memory that an engine owns.
    package init(elementType: ElementType, shape: [Int], storage: any TensorStorage) {
        self.elementType = elementType
        self.shape = shape
        self.storage = storage
    }

    /// A tensor of `shape` whose zero-initialized elements `fill` writes in place.
    ///
    /// - Throws: `invalidInput` if the shape is negative or larger than memory can address, and any error of `fill`.
    package init<Scalar: TensorScalar>(
        _: Scalar.Type = Scalar.self, shape: [Int], fill: (UnsafeMutableBufferPointer<Scalar>) throws -> Void
    ) throws {
        let buffer = try OwnedBuffer(byteCount: Tensor.byteCount(shape: shape, elementType: Scalar.elementType))
        try buffer.withElements(of: Scalar.self, fill)
        self.init(elementType: Scalar.elementType, shape: shape, storage: buffer)
    }

    /// A tensor of `shape` whose elements `fill` must all write; they start uninitialized.
    ///
    /// - Throws: `invalidInput` if the shape is negative or larger than memory can address, and any error of `fill`.
    package init<Scalar: TensorScalar>(
        _: Scalar.Type = Scalar.self, uninitialized shape: [Int],
        fill: (UnsafeMutableBufferPointer<Scalar>) throws -> Void
    ) throws {
        let buffer = OwnedBuffer(
            byteCount: try Tensor.byteCount(shape: shape, elementType: Scalar.elementType), isZeroed: false)
        try buffer.withElements(of: Scalar.self, fill)
        self.init(elementType: Scalar.elementType, shape: shape, storage: buffer)
    }

    /// A tensor of a type known only at run time, whose bytes `fill` must all write; they start uninitialized.
    ///
    /// - Throws: `invalidInput` if the shape is negative or larger than memory can address.
    package init(
        elementType: ElementType, shape: [Int], fill: (UnsafeMutableRawBufferPointer) -> Void
    ) throws(EngineError) {
        let buffer = OwnedBuffer(
            byteCount: try Tensor.byteCount(shape: shape, elementType: elementType), isZeroed: false)
        buffer.withBytes(fill)
        self.init(elementType: elementType, shape: shape, storage: buffer)
    }

    /// A tensor with a copy of `scalars`.
    package init<Scalar: TensorScalar>(shape: [Int], scalars: [Scalar]) throws {
        let count = try Tensor.byteCount(shape: shape, elementType: Scalar.elementType) / Scalar.elementType.size
        guard count == scalars.count else {
            throw EngineError(
                .invalidInput, doing: "make a tensor of shape \(shape)",
                cause: "it has \(count) elements, but there are \(scalars.count) values")
        }
        try self.init(Scalar.self, uninitialized: shape) { target in _ = target.initialize(from: scalars) }
    }

    /// Calls `body` with the elements, without copying them.
    ///
    /// - Throws: `invalidInput` if the tensor holds another type.
    package func withElements<Scalar: TensorScalar, Result>(
        of _: Scalar.Type = Scalar.self, _ body: (UnsafeBufferPointer<Scalar>) throws -> Result
    ) throws -> Result {
        guard Scalar.elementType == elementType else {
            throw EngineError(
                .invalidInput, doing: "read a tensor as \(Scalar.elementType.name)",
                cause: "its elements are \(elementType.name)")
        }
        return try withExtendedLifetime(storage) { try body(storage.bytes.bindMemory(to: Scalar.self)) }
    }

    package func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(storage) {} }
        return try body(storage.bytes)
    }

    /// A copy of the elements.
    package func elements<Scalar: TensorScalar>(of type: Scalar.Type = Scalar.self) throws -> [Scalar] {
        try withElements(of: type) { Array($0) }
    }

    static func byteCount(shape: [Int], elementType: ElementType) throws(EngineError) -> Int {
        var bytes = elementType.size
        for dimension in shape {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: dimension)
            guard dimension >= 0, !overflow else {
                throw EngineError(
                    .invalidInput, doing: "make a tensor of shape \(shape)",
                    cause: dimension < 0 ? "a dimension is negative" : "it is larger than memory can address")
            }
            bytes = product
        }
        return bytes
    }
}

/// Owns the memory of a tensor.
package protocol TensorStorage: AnyObject, Sendable {
    var bytes: UnsafeRawBufferPointer { get }
}

/// Memory owned by Apus, aligned for vector instructions.
final class OwnedBuffer: TensorStorage, @unchecked Sendable {  // written only before the tensor that owns it exists
    private let memory: UnsafeMutableRawBufferPointer

    init(byteCount: Int, isZeroed: Bool = true) {
        memory = .allocate(byteCount: byteCount, alignment: 64)
        if isZeroed { memory.initializeMemory(as: UInt8.self, repeating: 0) }
    }

    deinit { memory.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(memory) }

    func withBytes(_ body: (UnsafeMutableRawBufferPointer) -> Void) { body(memory) }

    func withElements<Scalar: TensorScalar>(
        of _: Scalar.Type, _ body: (UnsafeMutableBufferPointer<Scalar>) throws -> Void
    ) rethrows {
        try memory.withMemoryRebound(to: Scalar.self) { try body($0) }
    }
}
