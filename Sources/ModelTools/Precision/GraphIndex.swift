internal import CModelTools
internal import ONNX

/// The producers and consumers of each value, across all graphs of a flat model.
struct GraphIndex {
    /// All nodes; those of a subgraph precede the node that contains it.
    private(set) var nodes: [Node] = []
    private(set) var producer: [String: Int] = [:]
    private(set) var consumers: [String: [Int]] = [:]
    /// Weights, and the outputs of Constant nodes.
    private(set) var constants: [String: ONNXTensor] = [:]
    /// The outputs of the model or a subgraph.
    private(set) var outputs: Set<String> = []
    private var problems: [String: PrecisionPlan.Reason] = [:]

    init(_ graph: Graph, type: DataType) {
        add(graph)
        for (position, node) in nodes.enumerated() {
            for output in node.outputs where !output.isEmpty { producer[output] = position }
            for input in Set(node.inputs) where !input.isEmpty { consumers[input, default: []].append(position) }
        }
        for (name, tensor) in constants { problems[name] = GraphIndex.problem(tensor, type) }
    }

    private mutating func add(_ graph: Graph) {
        let inputs = Set(graph.inputs.map(\.name))
        for tensor in graph.initializers where !inputs.contains(tensor.name) {
            constants[tensor.name] = tensor
        }
        outputs.formUnion(graph.outputs.map(\.name))
        for node in graph.nodes {
            for subgraph in node.subgraphs { add(subgraph) }
            if node.operation == "Constant", let tensor = node.constantTensor, let output = node.outputs.first {
                constants[output] = tensor
            }
            nodes.append(node)
        }
    }

    func constantProblem(_ name: String, _ type: DataType) -> PrecisionPlan.Reason? { problems[name] }

    /// Why a constant's users should stay f32; nil if f16 represents it well enough.
    static func problem(_ tensor: ONNXTensor, _ type: DataType) -> PrecisionPlan.Reason? {
        guard tensor.type == .float32, let bytes = tensor.bytes() else { return nil }
        defer { bytes.releaseIfLarge() }
        return bytes.withUnsafeBytes { raw -> PrecisionPlan.Reason? in
            guard let base = raw.baseAddress, !raw.isEmpty else { return nil }
            let range = apus_float_range(base, raw.count / 4)
            if range.largest > 65504 || range.has_infinity != 0 { return .largeConstant }
            if raw.count <= 64 {
                for position in 0..<(raw.count / 4) {
                    let value = raw.loadUnaligned(fromByteOffset: 4 * position, as: Float.self)
                    // An epsilon that f16 has only as a subnormal, or not at all.
                    if value != 0, value.isFinite, abs(Float(Float16(value)) - value) > abs(value) * 0.01 {
                        return .smallConstant
                    }
                }
                return nil
            }
            // All weights are too small; a single small one among others doesn't matter.
            return range.largest > 0 && range.largest < 0x1p-25 ? .smallConstant : nil
        }
    }
}

extension Node {
    /// The value of a Constant node.
    var constantTensor: ONNXTensor? {
        for attribute in attributes {
            switch (attribute.name, attribute.value) {
            case ("value", .tensor(let tensor)): return tensor
            case ("value_float", .float(let value)): return ONNXTensor(name: "", floats: [value], shape: [])
            case ("value_floats", .floats(let values)):
                return ONNXTensor(name: "", floats: values, shape: [values.count])
            case ("value_int", .int(let value)): return ONNXTensor(name: "", integers: [Int(value)], shape: [])
            case ("value_ints", .ints(let values)):
                return ONNXTensor(name: "", integers: values.map { Int($0) }, shape: [values.count])
            default: break
            }
        }
        return nil
    }
}
