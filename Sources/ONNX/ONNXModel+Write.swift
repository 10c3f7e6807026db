extension ONNXModel {
    func written() -> ProtobufWriter {
        var writer = ProtobufWriter()
        writer.integer(1, irVersion)
        writer.optionalText(2, producerName)
        writer.optionalText(3, producerVersion)
        writer.message(7, graph.written())
        for opset in opsets { writer.message(8, ONNX.written(opset)) }
        for entry in metadata {
            var inner = ProtobufWriter()
            inner.text(1, entry.key)
            inner.text(2, entry.value)
            writer.message(14, inner)
        }
        for entry in lateMetadata {
            var inner = ProtobufWriter()
            inner.text(1, entry.key)
            inner.content(2, .computed(byteCount: entry.byteCount, entry.value), byteCount: entry.byteCount)
            writer.message(14, inner)
        }
        for function in functions { writer.message(25, function.written()) }
        writer.raw(unknown)
        return writer
    }
}

private func written(_ opset: (domain: String, version: Int)) -> ProtobufWriter {
    var writer = ProtobufWriter()
    writer.optionalText(1, opset.domain)
    writer.integer(2, opset.version)
    return writer
}

extension Graph {
    fileprivate func written() -> ProtobufWriter {
        var writer = ProtobufWriter()
        for node in nodes { writer.message(1, node.written()) }
        writer.optionalText(2, name)
        for tensor in initializers { writer.message(5, tensor.written()) }
        for value in inputs { writer.message(11, value.written()) }
        for value in outputs { writer.message(12, value.written()) }
        for value in values { writer.message(13, value.written()) }
        for tensor in sparseInitializers { writer.message(15, tensor.written()) }
        writer.raw(unknown)
        return writer
    }
}

extension Node {
    fileprivate func written() -> ProtobufWriter {
        var writer = ProtobufWriter()
        for input in inputs { writer.text(1, input) }
        for output in outputs { writer.text(2, output) }
        writer.optionalText(3, name)
        writer.text(4, operation)
        for attribute in attributes { writer.message(5, attribute.written()) }
        writer.optionalText(7, domain)
        writer.optionalText(8, overload)
        writer.raw(unknown)
        return writer
    }
}

extension Attribute {
    fileprivate func written() -> ProtobufWriter {
        var writer = ProtobufWriter()
        writer.text(1, name)
        let type = value.write(to: &writer)
        writer.integer(20, type)
        return writer
    }
}

extension Attribute.Value {
    /// Writes the field of the value and returns the type, as in `AttributeProto.AttributeType`.
    fileprivate func write(to writer: inout ProtobufWriter) -> Int {
        switch self {
        case .float(let value):
            writer.float(2, value)
            return 1
        case .int(let value):
            writer.integer(3, Int(value))
            return 2
        case .string(let value):
            writer.bytes(4, value.array)
            return 3
        case .tensor(let tensor):
            writer.message(5, tensor.written())
            return 4
        case .graph(let graph):
            writer.message(6, graph.written())
            return 5
        case .floats(let values):
            for value in values { writer.float(7, value) }
            return 6
        case .ints(let values):
            for value in values { writer.integer(8, Int(value)) }
            return 7
        case .strings(let values):
            for value in values { writer.bytes(9, value.array) }
            return 8
        case .tensors(let tensors):
            for tensor in tensors { writer.message(10, tensor.written()) }
            return 9
        case .graphs(let graphs):
            for graph in graphs { writer.message(11, graph.written()) }
            return 10
        case .sparseTensor(let tensor):
            writer.message(22, tensor.written())
            return 11
        case .type(let value):
            writer.message(14, value?.written() ?? ProtobufWriter())
            return 13
        case .reference(let name, let referenced):
            writer.text(21, name)
            return referenced
        case .other(let raw, let other):
            writer.raw(raw)
            return other
        }
    }
}

extension ValueDeclaration {
    fileprivate func written() -> ProtobufWriter {
        var writer = ProtobufWriter()
        writer.text(1, name)
        if let type { writer.message(2, type.written()) }
        writer.raw(unknown)
        return writer
    }
}

extension ValueType {
    fileprivate func written() -> ProtobufWriter {
        var writer = ProtobufWriter()
        switch self {
        case .tensor(let element, let shape): writer.message(1, ValueType.written(element, shape))
        case .sparseTensor(let element, let shape): writer.message(8, ValueType.written(element, shape))
        case .sequence(let element), .optional(let element):
            var inner = ProtobufWriter()
            inner.message(1, element.written())
            if case .sequence = self { writer.message(4, inner) } else { writer.message(9, inner) }
        case .other(let raw): writer.raw(raw)
        }
        return writer
    }

    private static func written(_ element: DataType, _ shape: [Dimension]?) -> ProtobufWriter {
        var writer = ProtobufWriter()
        writer.integer(1, element.rawValue)
        guard let shape else { return writer }
        var dimensions = ProtobufWriter()
        for dimension in shape {
            var inner = ProtobufWriter()
            switch dimension {
            case .fixed(let size): inner.integer(1, size)
            case .named(let name): inner.text(2, name)
            case .unknown: break
            }
            dimensions.message(1, inner)
        }
        writer.message(2, dimensions)
        return writer
    }
}

extension SparseTensor {
    fileprivate func written() -> ProtobufWriter {
        var writer = ProtobufWriter()
        writer.message(1, values.written())
        writer.message(2, indices.written())
        writer.packed(3, dimensions)
        return writer
    }
}

extension ONNXTensor {
    fileprivate func written() -> ProtobufWriter {
        var writer = ProtobufWriter()
        if !shape.isEmpty { writer.packed(1, shape.map(Int64.init)) }
        writer.integer(2, type.rawValue)
        writer.optionalText(8, name)
        switch payload {
        case .raw, .computed: writer.content(9, payload, byteCount: byteCount)
        case .strings(let strings): for string in strings { writer.bytes(6, string.array) }
        case .external(let location, let offset, let length):
            let entries =
                [("location", location), ("offset", "\(offset)")] + (length.map { [("length", "\($0)")] } ?? [])
            for (key, value) in entries {
                var inner = ProtobufWriter()
                inner.text(1, key)
                inner.text(2, value)
                writer.message(13, inner)
            }
            writer.integer(14, 1)
        }
        writer.raw(unknown)
        return writer
    }
}

extension Function {
    fileprivate func written() -> ProtobufWriter {
        var writer = ProtobufWriter()
        writer.text(1, name)
        for input in inputs { writer.text(4, input) }
        for output in outputs { writer.text(5, output) }
        for attribute in attributeNames { writer.text(6, attribute) }
        for node in nodes { writer.message(7, node.written()) }
        for opset in opsets { writer.message(9, ONNX.written(opset)) }
        writer.text(10, domain)
        for attribute in attributeDefaults { writer.message(11, attribute.written()) }
        writer.optionalText(13, overload)
        writer.raw(unknown)
        return writer
    }
}
