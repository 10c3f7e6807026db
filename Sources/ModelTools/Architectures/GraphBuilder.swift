internal import ONNX

/// Builds a graph: names values, and leaves weights in place until they are written.
final class GraphBuilder {
    private(set) var graph = Graph()
    private var constants: [String: String] = [:]
    private var taken: Set<String> = []
    /// The next number to try for a name.
    private var next: [String: Int] = [:]
    /// The scope of the nodes being added, such as "encoder.0/self_attn".
    private var path: [String] = []

    init(name: String) { graph.name = name }

    /// Prefixes the names of the nodes that `body` adds with `name`.
    func scope<Result>(_ name: String, _ body: () throws(ModelToolsError) -> Result) throws(ModelToolsError) -> Result {
        path.append(name)
        defer { path.removeLast() }
        return try body()
    }

    private func unique(_ name: String) -> String {
        let full = (path + [name]).joined(separator: "/")
        if taken.insert(full).inserted { return full }
        var number = next[full] ?? 2
        while !taken.insert("\(full)_\(number)").inserted { number += 1 }
        next[full] = number + 1
        return "\(full)_\(number)"
    }

    /// Adds a node with one output, and returns the output's name.
    @discardableResult
    func add(
        _ operation: String, _ inputs: [String], _ attributes: [Attribute] = [], as name: String? = nil,
        output: String? = nil
    ) -> String {
        let title = unique(name ?? operation)
        graph.nodes.append(
            Node(operation, inputs: inputs, outputs: [output ?? title], attributes: attributes, name: title))
        return output ?? title
    }

    /// Adds a node with several outputs.
    func addMany(_ operation: String, _ inputs: [String], _ attributes: [Attribute] = [], count: Int) -> [String] {
        let title = unique(operation)
        let outputs = (0..<count).map { "\(title).\($0)" }
        graph.nodes.append(Node(operation, inputs: inputs, outputs: outputs, attributes: attributes, name: title))
        return outputs
    }

    func input(_ name: String, _ type: DataType, _ shape: [ValueType.Dimension]) {
        graph.inputs.append(ValueDeclaration(name: name, type: .tensor(type, shape)))
        taken.insert(name)
    }

    func output(_ name: String, _ type: DataType, _ shape: [ValueType.Dimension]) {
        graph.outputs.append(ValueDeclaration(name: name, type: .tensor(type, shape)))
        taken.insert(name)
    }

    /// A weight with exactly this name.
    func weight(_ name: String, shape: [Int], _ payload: ONNXTensor.Payload) -> String {
        graph.initializers.append(ONNXTensor(name: name, type: .float32, shape: shape, payload: payload))
        taken.insert(name)
        return name
    }

    func weight(_ name: String, _ values: [Float], shape: [Int]) -> String {
        graph.initializers.append(ONNXTensor(name: name, floats: values, shape: shape))
        taken.insert(name)
        return name
    }

    /// Integers for shapes and axes; equal ones are stored once.
    func integers(_ values: [Int], shape: [Int]? = nil) -> String {
        let shape = shape ?? [values.count]
        return constant("\(values)\(shape)") { ONNXTensor(name: $0, integers: values, shape: shape) }
    }

    func scalar(_ value: Float) -> String {
        constant("f\(value)") { ONNXTensor(name: $0, floats: [value], shape: []) }
    }

    private func constant(_ key: String, _ make: (String) -> ONNXTensor) -> String {
        if let name = constants[key] { return name }
        let name = "constant.\(constants.count)"
        taken.insert(name)
        graph.initializers.append(make(name))
        constants[key] = name
        return name
    }
}
