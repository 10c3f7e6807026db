internal import Engine
internal import ONNX

/// What an ONNX file declares and OpenVINO doesn't report: names of dimensions, its metadata, and the order of its names. Empty for
/// other formats.
struct ModelDeclaration {
    private(set) var inputs: [ValueDeclaration] = []
    private(set) var outputs: [ValueDeclaration] = []
    private(set) var metadata: [String: String] = [:]

    init(_ source: ModelSource, doing: String) throws(EngineError) {
        let model: ONNXModel
        do throws(ModelFileError) {
            switch source {
            case .file(let path):
                guard path.hasSuffix(".onnx") else { return }
                model = try ONNXModel(Bytes(mapping: path))
            case .bytes(let bytes): model = try ONNXModel(Bytes(bytes))
            case .embedded(_, let bytes): model = try ONNXModel(Bytes(permanent: bytes()))
            }
        } catch {
            throw EngineError(.modelUnreadable, doing: doing, cause: error.cause, remedy: error.remedy)
        }
        let defaults = Set(model.graph.initializers.map(\.name))
        inputs = model.graph.inputs.filter { !defaults.contains($0.name) }
        outputs = model.graph.outputs
        metadata = Dictionary(model.metadata.map { ($0.key, $0.value) }) { $1 }
    }

    /// The shapes of the inputs with some named dimensions fixed; empty if none is. Nil is any size.
    func shapes(fixing sizes: [String: Int]) -> [(name: String, shape: [Int?])] {
        guard !sizes.isEmpty else { return [] }
        return inputs.compactMap { input in
            guard case .tensor(_, let dimensions?)? = input.type else { return nil }
            return (
                input.name,
                dimensions.map { dimension in
                    switch dimension {
                    case .fixed(let size): size >= 0 ? size : nil
                    case .named(let name): sizes[name]
                    case .unknown: nil
                    }
                }
            )
        }
    }

    /// OpenVINO's values with the file's names: OpenVINO keeps the order, but may choose another of a value's names.
    func named(_ values: [ValueInfo], _ declared: [ValueDeclaration]) -> [ValueInfo] {
        guard values.count == declared.count else { return values }
        return zip(values, declared).map { value, declaration in
            var value = value
            value.name = declaration.name
            guard case .tensor(_, let dimensions?)? = declaration.type, dimensions.count == value.dimensions.count
            else {
                return value
            }
            for (index, dimension) in dimensions.enumerated() where value.dimensions[index].size == nil {
                if case .named(let name) = dimension { value.dimensions[index] = .dynamic(name) }
            }
            return value
        }
    }
}
