package import ONNX

/// A summary of a model's contents.
package struct ModelSummary: Sendable {
    package let fileBytes: Int
    package let opset: Int
    package let opsets: [(domain: String, version: Int)]
    package let irVersion: Int
    package let producer: String
    /// Includes those of subgraphs and functions.
    package let nodes: Int
    /// The number of nodes of each operator.
    package let operators: [String: Int]
    /// Number of real values in weights and constants.
    package let parameters: Int
    /// Bytes of weights and constants by element type.
    package let bytesByType: [String: Int]

    package init(_ model: ONNXModel, fileBytes: Int) {
        var counter = Counter()
        counter.add(model.graph)
        for function in model.functions { for node in function.nodes { counter.add(node) } }
        self.fileBytes = fileBytes
        opset = model.opset("") ?? 0
        opsets = model.opsets.map { ($0.domain.isEmpty ? "ai.onnx" : $0.domain, $0.version) }
        irVersion = model.irVersion
        producer = [model.producerName, model.producerVersion].filter { !$0.isEmpty }.joined(separator: " ")
        nodes = counter.operators.values.reduce(0, +)
        operators = counter.operators
        parameters = counter.parameters
        bytesByType = counter.bytes
    }

    private struct Counter {
        var operators: [String: Int] = [:]
        var parameters = 0
        var bytes: [String: Int] = [:]

        mutating func add(_ graph: Graph) {
            for tensor in graph.initializers { add(tensor) }
            for sparse in graph.sparseInitializers { add(sparse.values) }
            for node in graph.nodes { add(node) }
        }

        mutating func add(_ node: Node) {
            let domain = node.domain.isEmpty || node.domain == "ai.onnx" ? "" : node.domain + "."
            operators[domain + node.operation, default: 0] += 1
            if let tensor = node.constantTensor { add(tensor) }
            for graph in node.subgraphs { add(graph) }
        }

        private mutating func add(_ tensor: ONNXTensor) {
            bytes[tensor.type.name, default: 0] += tensor.byteCount
            if [.float32, .float16, .bfloat16, .float64].contains(tensor.type) { parameters += tensor.count }
        }
    }

    /// Such as "inputs f32 [batch, 3, height, width]".
    package static func text(_ value: ValueDeclaration) -> String {
        "\(value.name) \(value.type.map(text) ?? "of any type")"
    }

    private static func text(_ type: ValueType) -> String {
        switch type {
        case .tensor(let element, let shape): "\(element.name) \(text(shape))"
        case .sparseTensor(let element, let shape): "sparse \(element.name) \(text(shape))"
        case .sequence(let element): "sequence of \(text(element))"
        case .optional(let element): "optional \(text(element))"
        case .other: "of another type"
        }
    }

    private static func text(_ shape: [ValueType.Dimension]?) -> String {
        guard let shape else { return "of any shape" }
        let sizes = shape.map { dimension in
            switch dimension {
            case .fixed(let size): "\(size)"
            case .named(let name): name
            case .unknown: "?"
            }
        }
        return "[\(sizes.joined(separator: ", "))]"
    }
}
