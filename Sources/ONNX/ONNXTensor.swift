/// A tensor of a model: type, shape and elements, which may be in the model's file, in another, or not computed yet.
package struct ONNXTensor: Sendable {
    package enum Payload: Sendable {
        /// Little-endian elements in row-major order.
        case raw(Bytes)
        /// Elements that are computed while writing, so that a large model needs no memory for them.
        case computed(byteCount: Int, @Sendable () -> [UInt8])
        case strings([Bytes])
        /// In another file, not opened yet.
        case external(location: String, offset: Int, length: Int?)
    }

    package var name: String
    package var type: DataType
    package var shape: [Int]
    package var payload: Payload
    var unknown: [UInt8] = []

    package init(name: String, type: DataType, shape: [Int], payload: Payload) {
        self.name = name
        self.type = type
        self.shape = shape
        self.payload = payload
    }

    package init(name: String, floats: [Float], shape: [Int]) {
        self.init(
            name: name, type: .float32, shape: shape,
            payload: .raw(Bytes(floats.withUnsafeBytes { Array($0) })))
    }

    package init(name: String, integers: [Int], shape: [Int]) {
        self.init(
            name: name, type: .int64, shape: shape,
            payload: .raw(Bytes(integers.map(Int64.init).withUnsafeBytes { Array($0) })))
    }

    package var isElsewhere: Bool { if case .external = payload { true } else { false } }

    /// The number of elements; a shape that was read can't overflow.
    package var count: Int { shape.reduce(1, *) }

    package var byteCount: Int {
        switch payload {
        case .raw(let bytes): bytes.count
        case .computed(let count, _): count
        case .strings(let strings): strings.reduce(0) { $0 + $1.count }
        case .external(_, _, let length): length ?? type.byteCount(count) ?? 0
        }
    }

    /// The elements' bytes; nil for text and external elements.
    package func bytes() -> Bytes? {
        switch payload {
        case .raw(let bytes): bytes
        case .computed(_, let compute): Bytes(compute())
        case .strings, .external: nil
        }
    }

    /// The elements of an f32 tensor.
    package func floats() -> [Float]? {
        guard type == .float32, let bytes = bytes() else { return nil }
        return bytes.withUnsafeBytes { bytes in
            (0..<(bytes.count / 4)).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
        }
    }

    /// The elements of an i64 tensor.
    package func integers() -> [Int]? {
        guard type == .int64, let bytes = bytes() else { return nil }
        return bytes.withUnsafeBytes { bytes in
            (0..<(bytes.count / 8)).map { Int(bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self)) }
        }
    }
}

extension Graph {
    /// Whether some of its weights are in files that aren't opened.
    package var hasTensorsElsewhere: Bool {
        initializers.contains(where: \.isElsewhere)
            || sparseInitializers.contains { $0.values.isElsewhere || $0.indices.isElsewhere }
            || nodes.contains { $0.attributes.contains(where: \.hasTensorsElsewhere) }
    }
}

extension Function {
    package var hasTensorsElsewhere: Bool {
        attributeDefaults.contains(where: \.hasTensorsElsewhere)
            || nodes.contains { $0.attributes.contains(where: \.hasTensorsElsewhere) }
    }
}

extension Attribute {
    fileprivate var hasTensorsElsewhere: Bool {
        switch value {
        case .tensor(let tensor): tensor.isElsewhere
        case .tensors(let tensors): tensors.contains(where: \.isElsewhere)
        case .sparseTensor(let sparse): sparse.values.isElsewhere || sparse.indices.isElsewhere
        case .graph(let graph): graph.hasTensorsElsewhere
        case .graphs(let graphs): graphs.contains(where: \.hasTensorsElsewhere)
        default: false
        }
    }
}
