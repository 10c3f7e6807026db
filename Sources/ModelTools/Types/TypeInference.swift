internal import ONNX
internal import Remedies

/// Infers the type of every value of a model from its inputs, weights and operators. Declarations of intermediate values, which
/// other programs leave stale, are used only for operators missing from the table.
///
/// The model must be flat (`FlatModel`): names are unique across its graphs.
struct TypeInference {
    private(set) var kinds: [String: ElementKind] = [:]
    private let model: ONNXModel
    private var declared: [String: ElementKind] = [:]
    private let opsets: [String: Int]
    /// Names in scope; a subgraph's names end with it.
    private var visible: Set<String> = []
    /// The same in order of definition, to find a subgraph's names. A copy of the set per subgraph would cost as much as
    /// everything around it.
    private var defined: [String] = []

    static func run(_ model: ONNXModel) throws(ModelToolsError) -> [String: ElementKind] {
        var inference = TypeInference(model: model)
        try inference.graph(model.graph, inputs: nil)
        return inference.kinds
    }

    private init(model: ONNXModel) {
        self.model = model
        opsets = Dictionary(model.opsets.map { (ONNXModel.canonical($0.domain), $0.version) }) { first, _ in first }
    }

    private func opset(_ domain: String) -> Int? { opsets[ONNXModel.canonical(domain)] }

    static func error(_ node: Node, _ cause: String) -> ModelToolsError {
        ModelToolsError(
            .types, "the node \(node.title) \(cause)", remedy: "Check the model with onnx.checker, and export it again."
        )
    }

    private mutating func define(_ name: String, _ kind: ElementKind) throws(ModelToolsError) {
        guard kinds.updateValue(kind, forKey: name) == nil else {
            throw ModelToolsError(
                .types, "two values in the model are named \(name)", remedy: "Export the model again.")
        }
        visible.insert(name)
        defined.append(name)
    }

    /// - Parameter inputs: what a node passes to its graph; nil for the model's own graph, whose inputs are declared.
    private mutating func graph(_ graph: Graph, inputs: [ElementKind]?) throws(ModelToolsError) {
        let outer = defined.count
        defer {
            if inputs != nil {
                for name in defined[outer...] { visible.remove(name) }
                defined.removeLast(defined.count - outer)
            }
        }
        let defaults = Set(graph.initializers.map(\.name))
        for value in graph.values + graph.outputs {
            if let type = value.type { declared[value.name] = ElementKind(type) }
        }
        for (index, input) in graph.inputs.enumerated() {
            if let inputs, index < inputs.count {
                try define(input.name, inputs[index])
            } else if let type = input.type {
                try define(input.name, ElementKind(type))
            } else if !defaults.contains(input.name) {
                throw ModelToolsError(.types, "its input \(input.name) has no type", remedy: "Export the model again.")
            }
        }
        for tensor in graph.initializers {
            // May also be an input's default.
            if let known = kinds[tensor.name] {
                guard known == .tensor(tensor.type) else {
                    throw ModelToolsError(
                        .types, "the input \(tensor.name) is \(known), but its default is \(tensor.type.name)",
                        remedy: "Export the model again.")
                }
            } else {
                try define(tensor.name, .tensor(tensor.type))
            }
        }
        for sparse in graph.sparseInitializers { try define(sparse.values.name, .tensor(sparse.values.type)) }
        for node in graph.nodes { try self.node(node) }
        for output in graph.outputs where !visible.contains(output.name) {
            throw ModelToolsError(
                .types, "nothing produces the output \(output.name)", remedy: "Export the model again.")
        }
    }

    private mutating func node(_ node: Node) throws(ModelToolsError) {
        var inputs: [ElementKind?] = []
        for name in node.inputs {
            guard name.isEmpty || visible.contains(name) else {
                throw TypeInference.error(node, "uses \(name), which no earlier node outputs")
            }
            inputs.append(kinds[name])
        }
        let schema = opset(node.domain).flatMap {
            OperatorTable.shared.schema(node.operation, domain: node.domain, opset: $0)
        }
        var bound: [Int: ElementKind] = [:]
        if let schema { try check(node, inputs, schema, &bound) }
        let special = try special(node, inputs)
        for (index, name) in node.outputs.enumerated() where !name.isEmpty {
            let place = schema?.output(index)
            if schema != nil, place == nil { throw TypeInference.error(node, "has too many outputs") }
            var kind: ElementKind?
            if let special, index < special.count { kind = special[index] }
            if kind == nil, let place, !place.isMixed { kind = bound[place.type] ?? schema?.types[place.type].only }
            if kind == nil { kind = declared[name] }
            guard let kind else {
                throw ModelToolsError(
                    .types,
                    "the output type of the node \(node.title) cannot be determined: "
                        + (schema == nil
                            ? "the operator is not known at opset \(opset(node.domain) ?? 0)"
                            : "the model does not declare it"),
                    remedy: "Run onnx.shape_inference on the model, or export it with standard operators.")
            }
            if let place, let allowed = schema?.types[place.type], !allowed.contains(kind) {
                throw TypeInference.error(
                    node, "outputs \(name) as \(kind), but may output only \(allowed.description)")
            }
            try define(name, kind)
        }
    }

    private func check(
        _ node: Node, _ inputs: [ElementKind?], _ schema: OperatorSchema, _ bound: inout [Int: ElementKind]
    ) throws(ModelToolsError) {
        if schema.isRemoved {
            throw TypeInference.error(node, "has an operator that opset \(schema.since) removed")
        }
        for (index, kind) in inputs.enumerated() {
            guard let kind else { continue }
            guard let place = schema.input(index) else {
                throw TypeInference.error(node, "has too many inputs")
            }
            let allowed = schema.types[place.type]
            guard allowed.contains(kind) else {
                throw TypeInference.error(
                    node, "has the input \(node.inputs[index]), which is \(kind), not \(allowed.description)")
            }
            if place.isMixed { continue }
            if let other = bound[place.type], other != kind {
                throw TypeInference.error(node, "has inputs of both \(other) and \(kind) where a single type is needed")
            }
            bound[place.type] = kind
        }
    }

    // MARK: Operators whose outputs do not follow from their inputs

    /// The output types of such an operator; nil entries, or nil, if the table determines them.
    private mutating func special(_ node: Node, _ inputs: [ElementKind?]) throws(ModelToolsError) -> [ElementKind?]? {
        func type(_ name: String) throws(ModelToolsError) -> ElementKind? {
            guard let number = node.integer(name), number != 0 else { return nil }
            guard let type = DataType(rawValue: number) else {
                throw TypeInference.error(node, "has the unknown type \(number)")
            }
            return .tensor(type)
        }
        let first = inputs.first ?? nil
        func input(_ index: Int) -> ElementKind? { index < inputs.count ? inputs[index] : nil }
        guard ["", "ai.onnx"].contains(node.domain) else { return OperatorKinds.machineLearning(node, first) }
        switch node.operation {
        case "Cast", "BitCast": return [try type("to")]
        case "CastLike": return [input(1)]
        case "Constant": return [OperatorKinds.constant(node)]
        case "ConstantOfShape":
            if case .tensor(let value)? = node.attribute("value")?.value { return [.tensor(value.type)] }
            return [.tensor(.float32)]
        case "RandomNormal", "RandomUniform": return [try type("dtype") ?? .tensor(.float32)]
        case "RandomNormalLike", "RandomUniformLike", "EyeLike", "Bernoulli": return [try type("dtype") ?? first]
        case "Multinomial": return [try type("dtype") ?? .tensor(.int32)]
        case "QuantizeLinear":
            let asked = try type("output_dtype")
            return [input(2) ?? asked ?? .tensor(.uint8)]
        case "DequantizeLinear": return [try type("output_dtype") ?? input(1)]
        case "BlackmanWindow", "HannWindow", "HammingWindow", "MelWeightMatrix":
            return [try type("output_datatype") ?? .tensor(.float32)]
        case "LayerNormalization":
            let stash = try type("stash_type") ?? .tensor(.float32)
            return [nil, stash, stash]
        case "SequenceEmpty": return [.sequence(try type("dtype")?.element ?? .float32)]
        case "SequenceConstruct", "SplitToSequence": return [first?.element.map { .sequence($0) }]
        case "SequenceAt", "ConcatFromSequence": return [first?.element.map { .tensor($0) }]
        case "Optional": return [OperatorKinds.optional(node, first)]
        case "OptionalGetElement": return [OperatorKinds.unwrapped(first)]
        case "If", "Loop", "Scan", "SequenceMap": return try control(node, inputs)
        default:
            for graph in node.subgraphs { try self.graph(graph, inputs: []) }
            return nil
        }
    }

    private mutating func control(_ node: Node, _ inputs: [ElementKind?]) throws(ModelToolsError) -> [ElementKind?] {
        func body(_ name: String) throws(ModelToolsError) -> Graph {
            guard case .graph(let graph)? = node.attribute(name)?.value else {
                throw TypeInference.error(node, "lacks its \(name)")
            }
            return graph
        }
        func outputs(_ graph: Graph) -> [ElementKind?] { graph.outputs.map { kinds[$0.name] } }
        switch node.operation {
        case "If":
            let (yes, no) = (try body("then_branch"), try body("else_branch"))
            try graph(yes, inputs: [])
            try graph(no, inputs: [])
            guard outputs(yes) == outputs(no) else {
                throw TypeInference.error(node, "has different output types in its two branches")
            }
            return outputs(yes)
        case "Loop":
            let loop = try body("body")
            let state = inputs.dropFirst(2).map { $0 ?? .other }
            try graph(loop, inputs: [.tensor(.int64), .tensor(.bool)] + state)
            let given = Array(outputs(loop).dropFirst())
            for (before, after) in zip(state, given) where before != after && OperatorKinds.unwrapped(before) != after {
                throw TypeInference.error(
                    node, "carries \(before) and turns it into \(after.map { "\($0)" } ?? "nothing")")
            }
            return given
        case "Scan":
            let scan = try body("body")
            // In opset 8, Scan has the sequence lengths before its own inputs.
            let own = inputs.dropFirst((opset("") ?? 0) < 9 ? 1 : 0)
            try graph(scan, inputs: own.map { $0 ?? .other })
            return outputs(scan)
        default:
            let map = try body("body")
            try graph(
                map,
                inputs: inputs.map { kind in
                    if case .sequence(let element)? = kind { .tensor(element) } else { kind ?? .other }
                })
            return outputs(map).map { $0?.element.map { .sequence($0) } }
        }
    }
}
