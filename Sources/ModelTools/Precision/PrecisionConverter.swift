package import ONNX
internal import Remedies

/// Converts an f32 model to one that computes in f16 where that is safe.
///
/// Every value is stored as f16 or f32, as its producer outputs it; consumers that need the other type share one Cast. Nothing
/// depends on the file's declarations of intermediate values: types are inferred before, and the whole result is type-checked
/// afterwards.
package struct PrecisionConverter {
    let options: PrecisionOptions
    private let source: ONNXModel
    private let kinds: [String: ElementKind]
    private let plan: PrecisionPlan
    let keptOutputs: Set<String>

    /// The consumers of each value by the type they need.
    var wantsHalf: Set<String> = []
    var wantsFull: Set<String> = []
    /// f32 values of the source that are stored as f16.
    var stored: Set<String> = []
    var taken: Set<String>
    var castCount = 0
    /// The names of the f16 and f32 versions of f32 values of the source.
    var halfNames: [String: String] = [:]
    var fullNames: [String: String] = [:]
    private let opset: Int

    package static func convert(
        _ model: ONNXModel, _ options: PrecisionOptions
    ) throws(ModelToolsError) -> (model: ONNXModel, report: PrecisionReport) {
        try check(model)
        switch options.target {
        case .f16: return try half(model, options)
        case .f16Weights: return try checked(WeightStorage.convert(model, options))
        case .bf16Safe: return try checked(BF16Safety.convert(model, options))
        }
    }

    /// The result, if all of its types are consistent.
    private static func checked(
        _ result: (model: ONNXModel, report: PrecisionReport)
    ) throws(ModelToolsError) -> (model: ONNXModel, report: PrecisionReport) {
        _ = try TypeInference.run(FlatModel.of(result.model))
        return result
    }

    private static func half(
        _ model: ONNXModel, _ options: PrecisionOptions
    ) throws(ModelToolsError) -> (model: ONNXModel, report: PrecisionReport) {
        var flat = try FlatModel.of(model)
        let kinds = try TypeInference.run(flat)
        flat.graph.mapNodes { node in
            // Their type is known now, and the plan handles a Cast.
            guard node.operation == "CastLike", node.isStandard, node.inputs.count == 2,
                let element = node.outputs.first.flatMap({ kinds[$0]?.element })
            else { return }
            node.operation = "Cast"
            node.inputs.removeLast()
            node.attributes.append(.int("to", element.rawValue))
        }
        var converter = PrecisionConverter(flat, kinds, options)
        var result = flat
        converter.decide(flat.graph)
        result.graph = converter.rewritten(flat.graph)
        result.producerName = "apus"
        // Nothing is written unless it passes.
        let checked = try TypeInference.run(result)
        result.graph.declare(checked)
        result.graph.mapNodes { node in
            guard node.operation == "Cast", node.isStandard, let input = node.inputs.first,
                let output = node.outputs.first,
                checked[input] == checked[output]
            else { return }
            node.operation = "Identity"
            node.attributes = []
        }
        return (result, converter.report(result))
    }

    private static func check(_ model: ONNXModel) throws(ModelToolsError) {
        guard !model.graph.hasTensorsElsewhere, !model.functions.contains(where: \.hasTensorsElsewhere) else {
            throw ModelToolsError(
                .unsupported, "its weights are in another file, which was not read",
                remedy: "Read the model from its file.")
        }
        // A model that uses only other domains has no such opset.
        guard let opset = model.opset("") else { return }
        // Before opset 6, Cast took the name of a type, and few operators supported f16.
        guard (6...OperatorTable.shared.newest).contains(opset) else {
            throw ModelToolsError(
                .unsupported,
                "it has opset \(opset); this version of Apus converts 6 to \(OperatorTable.shared.newest)",
                remedy: "Export the model for one of these opsets.")
        }
    }

    private init(_ model: ONNXModel, _ kinds: [String: ElementKind], _ options: PrecisionOptions) {
        source = model
        opset = model.opset("") ?? 0
        self.kinds = kinds
        self.options = options
        let index = GraphIndex(model.graph, type: options.type)
        plan = PrecisionPlan.make(index, kinds: kinds, opset: model.opset, options: options)
        keptOutputs = options.keepsIO ? Set(model.graph.outputs.map(\.name)) : []
        taken = Set(kinds.keys)
    }

    func isFloat(_ name: String) -> Bool { kinds[name] == .tensor(.float32) }

    // MARK: Deciding

    private mutating func decide(_ graph: Graph) {
        wantsFull.formUnion(keptOutputs.filter(isFloat))
        decideNodes(graph)
        if !options.keepsIO {
            let defaults = Set(graph.initializers.map(\.name))
            // A default is a weight under another name and stays f32, like the input that replaces it.
            for input in graph.inputs where isFloat(input.name) && wantsHalf.contains(input.name) {
                if !defaults.contains(input.name) || !wantsFull.contains(input.name) { stored.insert(input.name) }
            }
        }
    }

    /// From the last node to the first, so that all consumers of a value are known before its producer.
    private mutating func decideNodes(_ graph: Graph) {
        for node in graph.nodes.reversed() {
            decideOutputs(node)
            decideInputs(node)
            for subgraph in node.subgraphs {
                for (index, output) in subgraph.outputs.enumerated() where isFloat(output.name) {
                    if givesHalf(node, index) { wantsHalf.insert(output.name) } else { wantsFull.insert(output.name) }
                }
                decideNodes(subgraph)
            }
        }
        let fixed = Set(graph.inputs.map(\.name) + graph.outputs.map(\.name))
        for tensor in graph.initializers where isFloat(tensor.name) {
            if !fixed.contains(tensor.name), wantsHalf.contains(tensor.name), !wantsFull.contains(tensor.name) {
                stored.insert(tensor.name)
            }
        }
    }

    /// Whether a node's graph must output f16: a branch outputs what the node does, a loop carries f32.
    func givesHalf(_ node: Node, _ index: Int) -> Bool {
        node.operation == "If" && index < node.outputs.count && stored.contains(node.outputs[index])
    }

    private mutating func decideOutputs(_ node: Node) {
        guard plan.concerns(node), plan.isHalf(node) else { return }
        let schema = OperatorTable.shared.schema(node.operation, domain: node.domain, opset: opset)
        for (index, output) in node.outputs.enumerated() where isFloat(output) {
            switch node.operation {
            case "Constant", "ConstantOfShape", "Cast", "If":
                // In the type that is needed; if none is, unchanged.
                if node.operation == "Constant", node.constantTensor?.type != .float32 { continue }
                if wantsHalf.contains(output), !wantsFull.contains(output) { stored.insert(output) }
            default:
                guard let schema, let place = schema.output(index),
                    schema.types[place.type].contains(.tensor(options.type)),
                    schema.inputs.contains(where: { $0.type == place.type })
                else { continue }
                stored.insert(output)
            }
        }
    }

    private mutating func decideInputs(_ node: Node) {
        if PrecisionRules.takesEither(node) { return }
        for (index, input) in node.inputs.enumerated() where isFloat(input) {
            if wantsHalfInput(node, index) { wantsHalf.insert(input) } else { wantsFull.insert(input) }
        }
    }

    func wantsHalfInput(_ node: Node, _ index: Int) -> Bool {
        guard plan.isHalf(node), !PrecisionRules.isPinned(node.operation, input: index),
            let schema = OperatorTable.shared.schema(node.operation, domain: node.domain, opset: opset),
            let place = schema.input(index)
        else { return false }
        return schema.types[place.type].contains(.tensor(options.type)) && !place.isMixed
    }

    // MARK: Reporting

    private func report(_ result: ONNXModel) -> PrecisionReport {
        let nodes = plan.index.nodes.filter(plan.concerns)
        var report = PrecisionReport()
        for node in nodes {
            if let reason = plan.reasons[PrecisionPlan.key(node)] {
                report.kept.append(.init(node: node.title, operation: node.operation, reason: reason.rawValue))
            } else if node.operation != "Constant",
                node.operation != "Cast" || node.outputs.contains(where: stored.contains)
            {
                report.convertedNodes += 1
            }
        }
        report.casts = castCount
        report.convertedWeights = source.graph.initializers.count { stored.contains($0.name) }
        return report
    }
}

/// The result of a conversion.
package struct PrecisionReport: Sendable {
    package struct Kept: Sendable {
        package var node: String
        package var operation: String
        package var reason: String
    }

    package var convertedNodes = 0
    package var convertedWeights = 0
    /// Nodes with f32 that stay f32.
    package var kept: [Kept] = []
    /// The number of Cast nodes added.
    package var casts = 0
}

extension Graph {
    /// Changes every node, including those of subgraphs.
    fileprivate mutating func mapNodes(_ change: (inout Node) -> Void) {
        for node in nodes.indices {
            change(&nodes[node])
            nodes[node].mapSubgraphs { $0.mapNodes(change) }
        }
    }

    /// Updates the declared types of values to the actual ones.
    fileprivate mutating func declare(_ kinds: [String: ElementKind]) {
        func declared(_ value: ValueDeclaration) -> ValueDeclaration? {
            guard let kind = kinds[value.name] else { return nil }
            var value = value
            if case .tensor(let element) = kind {
                guard case .tensor(_, let shape)? = value.type else {
                    value.type = .tensor(element, nil)
                    return value
                }
                value.type = .tensor(element, shape)
            }
            return value
        }
        values = values.compactMap(declared)
        inputs = inputs.map { declared($0) ?? $0 }
        outputs = outputs.map { declared($0) ?? $0 }
        for node in nodes.indices { nodes[node].mapSubgraphs { $0.declare(kinds) } }
    }
}
