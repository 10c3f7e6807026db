internal import ONNX

/// The target of a conversion.
package enum PrecisionTarget: String, Sendable, CaseIterable {
    /// Computes in f16, except where it is unsafe.
    case f16
    /// Stores weights as f16 and computes in f32: half the size, the same operators.
    case f16Weights = "f16-weights"
    /// Computes in f32, or in bf16 on a device set to it, without the pattern that makes OpenVINO fail then.
    case bf16Safe = "bf16-safe"
}

package struct PrecisionOptions: Sendable {
    package var target = PrecisionTarget.f16
    /// Inputs and outputs keep their types.
    package var keepsIO = false
    package var blockedOperators: Set<String> = []
    /// Names of nodes or of their outputs; a trailing * matches anything.
    package var blockedNodes: [String] = []
    var type: DataType { .float16 }

    package init() {}

    func isBlocked(_ node: Node) -> Bool {
        blockedNodes.contains { pattern in
            ([node.name] + node.outputs).contains { name in
                pattern.hasSuffix("*") ? name.hasPrefix(pattern.dropLast()) : name == pattern
            }
        }
    }
}

/// Weights as f16, with a Cast back to f32 at the start of the graph, which runtimes fold.
enum WeightStorage {
    /// Min elements that are worth a Cast.
    private static let fewest = 256

    static func convert(_ model: ONNXModel, _ options: PrecisionOptions) -> (model: ONNXModel, report: PrecisionReport)
    {
        var model = model
        var report = PrecisionReport()
        let inputs = Set(model.graph.inputs.map(\.name))
        var casts: [Node] = []
        var names = model.graph.allNames
        // If weights share a name, ONNX Runtime uses the last one; these are left alone.
        let counts = Dictionary(model.graph.initializers.map { ($0.name, 1) }, uniquingKeysWith: +)
        for index in model.graph.initializers.indices {
            let tensor = model.graph.initializers[index]
            guard tensor.type == .float32, tensor.count >= fewest, !inputs.contains(tensor.name),
                counts[tensor.name] == 1,
                model.opset("") != nil
            else { continue }
            if let problem = GraphIndex.problem(tensor, options.type) {
                report.kept.append(.init(node: tensor.name, operation: "weight", reason: problem.rawValue))
                continue
            }
            var stored = tensor.name + "_f16"
            while !names.insert(stored).inserted { stored += "_" }
            model.graph.initializers[index].becomeHalf()
            model.graph.initializers[index].name = stored
            casts.append(
                Node(
                    "Cast", inputs: [stored], outputs: [tensor.name],
                    attributes: [.int("to", DataType.float32.rawValue)],
                    name: "\(tensor.name)/cast"))
            report.convertedWeights += 1
        }
        report.casts = casts.count
        model.graph.nodes = casts + model.graph.nodes
        return (model, report)
    }
}

/// OpenVINO 2025.4 fuses attention into one operation, which fails at bf16 if the model leaves its sizes open
/// ("SetLoadStoreScalar expects static shapes"), as the usual traced exports do. Written as exp(log(softmax(x))), which is the
/// same number, it isn't fused, and runs.
enum BF16Safety {
    static func convert(_ model: ONNXModel, _ options: PrecisionOptions) -> (model: ONNXModel, report: PrecisionReport)
    {
        var model = model
        var report = PrecisionReport()
        var products: Set<String> = []
        for node in model.graph.nodes where node.operation == "MatMul" { products.formUnion(node.inputs) }
        var names = model.graph.allNames
        model.graph.nodes = model.graph.nodes.flatMap { node -> [Node] in
            guard node.operation == "Softmax", node.isStandard, let output = node.outputs.first,
                products.contains(output)
            else { return [node] }
            if options.blockedOperators.contains("Softmax") || options.isBlocked(node) {
                report.kept.append(.init(node: node.title, operation: node.operation, reason: "you requested it"))
                return [node]
            }
            var logarithm = node
            logarithm.operation = "LogSoftmax"
            var inner = output + "_log"
            while !names.insert(inner).inserted { inner += "_" }
            logarithm.outputs = [inner]
            report.convertedNodes += 1
            return [logarithm, Node("Exp", inputs: [inner], outputs: [output], name: "\(node.name)/exp")]
        }
        return (model, report)
    }
}

extension Graph {
    /// All names in use, including those in subgraphs.
    fileprivate var allNames: Set<String> {
        var names = Set(inputs.map(\.name) + initializers.map(\.name) + sparseInitializers.map(\.values.name))
        for node in nodes {
            names.formUnion(node.outputs)
            for graph in node.subgraphs { names.formUnion(graph.allNames) }
        }
        return names
    }
}
