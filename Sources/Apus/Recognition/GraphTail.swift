internal import ONNX

/// The last operators of a graph, which show what its outputs are.
struct GraphTail {
    private let outputs: [String]
    /// The node that produces each value.
    private var makers: [String: Node] = [:]
    /// The number of elements of each constant.
    private var constants: [String: Int] = [:]

    /// Operators that select part of a value, or change its shape or type, but not its elements.
    private static let transparent: Set = [
        "Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Flatten", "Slice", "Gather", "Split",
        "Clip", "QuantizeLinear", "DequantizeLinear",
    ]
    private static let linear: Set = ["MatMul", "Gemm", "Conv", "FusedMatMul", "MatMulInteger", "QLinearMatMul"]
    /// Max nodes to follow from an output: a head's last steps are few.
    private static let maxSteps = 16

    init(_ graph: Graph) {
        outputs = graph.outputs.map(\.name)
        for node in graph.nodes { for output in node.outputs where !output.isEmpty { makers[output] = node } }
        for tensor in graph.initializers { constants[tensor.name] = tensor.count }
        for node in graph.nodes where node.operation == "Constant" {
            if let output = node.outputs.first, case .tensor(let tensor)? = node.attribute("value")?.value {
                constants[output] = tensor.count
            }
        }
    }

    /// Outputs that are already scores, with the operator that produces them.
    var scoredOutputs: [String: String] {
        var scored: [String: String] = [:]
        for output in outputs {
            if let operation = source(of: output)?.operation, ["Softmax", "LogSoftmax", "Sigmoid"].contains(operation) {
                scored[output] = operation
            }
        }
        return scored
    }

    /// Outputs that are a sigmoid of something other than a linear layer's result.
    var offsetOutputs: Set<String> {
        Set(
            outputs.filter { output in
                guard let sigmoid = source(of: output), sigmoid.operation == "Sigmoid", let input = sigmoid.inputs.first
                else { return false }
                return !isLinear(input)
            })
    }

    /// The node that produces a value, looking through operators that keep its elements.
    private func source(of value: String) -> Node? {
        var maker = makers[value]
        for _ in 0..<GraphTail.maxSteps {
            guard let node = maker, GraphTail.transparent.contains(node.operation) else { break }
            maker = node.inputs.first.flatMap { makers[$0] }
        }
        return maker
    }

    /// Whether a value is a product with weights, plus at most a bias with one element per box coordinate.
    private func isLinear(_ value: String) -> Bool {
        guard let node = source(of: value) else { return false }
        if GraphTail.linear.contains(node.operation) { return true }
        guard node.operation == "Add", node.inputs.count == 2 else { return false }
        let sums = node.inputs.filter { constants[constantSource($0)] == nil }
        let biases = node.inputs.compactMap { constants[constantSource($0)] }
        guard sums.count == 1, biases.allSatisfy({ $0 <= 4 }), let product = source(of: sums[0]) else { return false }
        return GraphTail.linear.contains(product.operation)
    }

    /// The constant behind casts and the like.
    private func constantSource(_ value: String) -> String {
        var value = value
        for _ in 0..<GraphTail.maxSteps {
            guard let node = makers[value], GraphTail.transparent.contains(node.operation),
                let input = node.inputs.first
            else { break }
            value = input
        }
        return value
    }
}
