internal import Remedies

extension ONNXModel {
    /// Reads a model. Weights stay where they are in `bytes`.
    package init(_ bytes: Bytes) throws(ModelFileError) {
        var reader = ProtobufReader(bytes)
        var hasGraph = false
        while let field = try reader.next() {
            switch field.number {
            case 1: irVersion = try field.integer()
            case 2: producerName = try field.text()
            case 3: producerVersion = try field.text()
            case 7:
                guard !hasGraph else { throw .malformed("the model has two graphs") }
                graph = try Graph(field.bytes(), depth: 0)
                hasGraph = true
            case 8:
                opsets.append(try ONNXModel.opset(field.bytes()))
                guard opsets.count <= 1000 else { throw .malformed("it imports more than 1000 operator sets") }
            case 14: metadata.append(try ONNXModel.entry(field.bytes()))
            case 25: functions.append(try Function(field.bytes()))
            default: unknown += field.raw.array
            }
        }
        guard hasGraph else {
            throw ModelFileError(
                .malformed, "it is not an ONNX model, or it is incomplete: it has no graph",
                remedy: "Use an .onnx file. If it should be one, its download or copy may be incomplete.")
        }
    }

    static func opset(_ bytes: Bytes) throws(ModelFileError) -> (domain: String, version: Int) {
        var reader = ProtobufReader(bytes)
        var (domain, version) = ("", 0)
        while let field = try reader.next() {
            switch field.number {
            case 1: domain = try field.text()
            case 2: version = try field.integer()
            default: break
            }
        }
        return (domain, version)
    }

    static func entry(_ bytes: Bytes) throws(ModelFileError) -> (key: String, value: String) {
        var reader = ProtobufReader(bytes)
        var (key, value) = ("", "")
        while let field = try reader.next() {
            switch field.number {
            case 1: key = try field.text()
            case 2: value = try field.text()
            default: break
            }
        }
        return (key, value)
    }
}

extension Graph {
    /// Max nested graphs: each takes a few stack frames.
    private static let deepest = 32

    init(_ bytes: Bytes, depth: Int) throws(ModelFileError) {
        guard depth <= Graph.deepest else { throw .malformed("graphs are nested deeper than \(Graph.deepest)") }
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: nodes.append(try Node(field.bytes(), depth: depth))
            case 2: name = try field.text()
            case 5: initializers.append(try ONNXTensor(field.bytes()))
            case 11: inputs.append(try ValueDeclaration(field.bytes()))
            case 12: outputs.append(try ValueDeclaration(field.bytes()))
            case 13: values.append(try ValueDeclaration(field.bytes()))
            case 15: sparseInitializers.append(try SparseTensor(field.bytes()))
            default: unknown += field.raw.array
            }
        }
    }
}

extension Node {
    init(_ bytes: Bytes, depth: Int) throws(ModelFileError) {
        self.init()
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: inputs.append(try field.text())
            case 2: outputs.append(try field.text())
            case 3: name = try field.text()
            case 4: operation = try field.text()
            case 5: attributes.append(try Attribute(field.bytes(), depth: depth))
            case 7: domain = try field.text()
            case 8: overload = try field.text()
            default: unknown += field.raw.array
            }
        }
    }
}

extension Attribute {
    init(_ bytes: Bytes, depth: Int) throws(ModelFileError) {
        var reader = ProtobufReader(bytes)
        var (name, type, reference) = ("", 0, "")
        var fields: [Int: [ProtobufReader.Field]] = [:]
        while let field = try reader.next() {
            switch field.number {
            case 1: name = try field.text()
            case 20: type = try field.integer()
            case 21: reference = try field.text()
            default: fields[field.number, default: []].append(field)
            }
        }
        self.name = name
        if !reference.isEmpty {
            value = .reference(reference, type: type)
            return
        }
        // The number of the field that holds the value of each AttributeType.
        let numbers = [1: 2, 2: 3, 3: 4, 4: 5, 5: 6, 6: 7, 7: 8, 8: 9, 9: 10, 10: 11, 11: 22, 13: 14]
        // Models of IR version 1 don't state the type: it follows from the field that is present.
        if type == 0 { type = numbers.sorted { $0.key < $1.key }.first { fields[$0.value] != nil }?.key ?? 0 }
        let number = numbers[type] ?? 0
        let own = fields[number] ?? []
        let last = own.last
        switch type {
        case 1: value = .float(try last?.floats().last ?? 0)
        case 2: value = .int(Int64(try last?.integer() ?? 0))
        case 3: value = .string(try last?.bytes() ?? Bytes([]))
        case 4: value = .tensor(try ONNXTensor(last?.bytes() ?? Bytes([])))
        case 5: value = .graph(try Graph(last?.bytes() ?? Bytes([]), depth: depth + 1))
        case 6: value = .floats(try own.collected { field throws(ModelFileError) in try field.floats() })
        case 7: value = .ints(try own.collected { field throws(ModelFileError) in try field.integers() })
        case 8: value = .strings(try own.collected { field throws(ModelFileError) in [try field.bytes()] })
        case 9: value = .tensors(try own.collected { field throws(ModelFileError) in [try ONNXTensor(field.bytes())] })
        case 10:
            value = .graphs(
                try own.collected { field throws(ModelFileError) in [try Graph(field.bytes(), depth: depth + 1)] })
        case 11: value = .sparseTensor(try SparseTensor(last?.bytes() ?? Bytes([])))
        case 13: value = .type(try ValueType(last?.bytes() ?? Bytes([]), depth: 0))
        default:
            let raw = fields.sorted { $0.key < $1.key }.flatMap { $0.value.flatMap { $0.raw.array } }
            value = .other(raw, type: type)
        }
    }
}

extension [ProtobufReader.Field] {
    fileprivate func collected<Part>(
        _ read: (ProtobufReader.Field) throws(ModelFileError) -> [Part]
    ) throws(ModelFileError) -> [Part] {
        var all: [Part] = []
        for field in self { all += try read(field) }
        return all
    }
}

extension ValueDeclaration {
    init(_ bytes: Bytes) throws(ModelFileError) {
        self.init(name: "", type: nil)
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: name = try field.text()
            case 2: type = try ValueType(field.bytes(), depth: 0)
            default: unknown += field.raw.array
            }
        }
    }
}

extension ValueType {
    /// Nil for a type without content.
    init?(_ bytes: Bytes, depth: Int) throws(ModelFileError) {
        guard depth <= 16 else { throw .malformed("types are nested deeper than 16") }
        var reader = ProtobufReader(bytes)
        var type: ValueType?
        var isOther = false
        while let field = try reader.next() {
            switch field.number {
            case 1, 8:
                guard let (element, shape) = try ValueType.tensor(field.bytes()) else { continue }
                type = field.number == 1 ? .tensor(element, shape) : .sparseTensor(element, shape)
            case 4, 9:
                var inner = ProtobufReader(try field.bytes())
                while let part = try inner.next() {
                    guard part.number == 1,
                        let element = try ValueType(part.bytes(), depth: depth + 1)
                    else { continue }
                    type = field.number == 4 ? .sequence(element) : .optional(element)
                }
            case 6: break  // a denotation, which no type depends on
            default: isOther = true
            }
        }
        if isOther { type = .other(bytes.array) }
        guard let type else { return nil }
        self = type
    }

    private static func tensor(_ bytes: Bytes) throws(ModelFileError) -> (DataType, [Dimension]?)? {
        var reader = ProtobufReader(bytes)
        var element: DataType?
        var shape: [Dimension]?
        while let field = try reader.next() {
            switch field.number {
            case 1:
                let number = try field.integer()
                guard number != 0 else { break }
                element = try DataType(number: number)
            case 2:
                var dimensions: [Dimension] = []
                var inner = ProtobufReader(try field.bytes())
                while let part = try inner.next() {
                    guard part.number == 1 else { continue }
                    dimensions.append(try Dimension(part.bytes()))
                }
                shape = dimensions
            default: break
            }
        }
        return element.map { ($0, shape) }
    }
}

extension ValueType.Dimension {
    fileprivate init(_ bytes: Bytes) throws(ModelFileError) {
        self = .unknown
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: self = .fixed(try field.integer())
            case 2:
                let name = try field.text()
                self = name.isEmpty ? .unknown : .named(name)
            default: break
            }
        }
    }
}

extension DataType {
    fileprivate init(number: Int) throws(ModelFileError) {
        guard let type = DataType(rawValue: number) else {
            throw ModelFileError(
                .unsupported,
                "it has a tensor of the element type \(number), which this version of Apus does not support",
                remedy: "Export the model with another type, or use a newer version of Apus.")
        }
        self = type
    }
}

extension SparseTensor {
    init(_ bytes: Bytes) throws(ModelFileError) {
        let empty = ONNXTensor(name: "", type: .float32, shape: [0], payload: .raw(Bytes([])))
        (values, indices, dimensions) = (empty, empty, [])
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: values = try ONNXTensor(field.bytes())
            case 2: indices = try ONNXTensor(field.bytes())
            case 3: dimensions += try field.integers()
            default: break
            }
        }
    }
}

extension Function {
    init(_ bytes: Bytes) throws(ModelFileError) {
        self.init()
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: name = try field.text()
            case 4: inputs.append(try field.text())
            case 5: outputs.append(try field.text())
            case 6: attributeNames.append(try field.text())
            case 7: nodes.append(try Node(field.bytes(), depth: 0))
            case 9: opsets.append(try ONNXModel.opset(field.bytes()))
            case 10: domain = try field.text()
            case 11: attributeDefaults.append(try Attribute(field.bytes(), depth: 0))
            case 13: overload = try field.text()
            default: unknown += field.raw.array
            }
        }
    }
}
