internal import CModelTools
internal import ONNX

/// Which nodes of a model compute in f16, and why the others don't.
struct PrecisionPlan {
    /// Why a node stays f32.
    package enum Reason: String, Sendable, CaseIterable {
        case blockedOperator = "you blocked this operator"
        case blockedNode = "you blocked this node"
        case noHalf = "the operator has no f16 at this opset"
        case untyped = "ONNX does not define its output type for its inputs"
        case bits = "it works on the bits of its values"
        case unknown = "the operator is not ONNX's own"
        case quantization = "it quantizes"
        case overflow = "it multiplies or adds up values, which may exceed f16's maximum, 65504"
        case afterOverflow = "it works on values that may exceed f16's maximum, 65504"
        case largeConstant = "a constant exceeds f16's maximum, 65504, or is infinite, as in masks"
        case smallConstant = "a constant would become zero in f16, or lose its leading digits"
        case positions = "sines, cosines and their angles need more than f16's 11 bits"
        case shape = "it computes shapes"
        case integers = "its result is converted to or from integers"
        case coordinates = "it works on coordinates, which need more than f16's 11 bits"
        case random = "random numbers keep their type"
        case runtime = "ONNX Runtime does not support it in f16, or computes it wrong, or crashes"
        case signal = "spectra need more than f16's 11 bits"
        case loop = "errors accumulate in a loop"
        case sequence = "it handles sequences or optional values"
        case between = "all nodes around it are f32"
    }

    /// Nodes by the unique name of their first output.
    private(set) var reasons: [String: Reason] = [:]
    let index: GraphIndex
    private let kinds: [String: ElementKind]
    private let options: PrecisionOptions

    static func make(
        _ index: GraphIndex, kinds: [String: ElementKind], opset: (String) -> Int?, options: PrecisionOptions
    ) -> PrecisionPlan {
        var plan = PrecisionPlan(index: index, kinds: kinds, options: options)
        plan.seed(opset)
        plan.markShapes()
        plan.markConstants()
        plan.spread()
        plan.markSources()
        plan.markBatchTransposes()
        plan.settle()
        return plan
    }

    private init(index: GraphIndex, kinds: [String: ElementKind], options: PrecisionOptions) {
        self.index = index
        self.kinds = kinds
        self.options = options
    }

    static func key(_ node: Node) -> String { node.outputs.first { !$0.isEmpty } ?? "" }

    func isHalf(_ node: Node) -> Bool { reasons[PrecisionPlan.key(node)] == nil }

    private func isFloat(_ name: String) -> Bool { kinds[name] == .tensor(.float32) }

    /// Whether a node involves f32 at all.
    func concerns(_ node: Node) -> Bool {
        node.inputs.contains(where: isFloat) || node.outputs.contains(where: isFloat)
    }

    private mutating func keep(_ node: Node, _ reason: Reason) {
        guard !PrecisionPlan.key(node).isEmpty, reasons[PrecisionPlan.key(node)] == nil else { return }
        reasons[PrecisionPlan.key(node)] = reason
    }

    // MARK: Rules

    private mutating func seed(_ opset: (String) -> Int?) {
        for node in index.nodes where concerns(node) {
            if options.blockedOperators.contains(node.operation) {
                keep(node, .blockedOperator)
            } else if options.isBlocked(node) {
                keep(node, .blockedNode)
            } else if !node.isStandard {
                keep(node, .unknown)
            } else if let reason = PrecisionRules.reason(node) {
                keep(node, reason)
            } else if (node.inputs + node.outputs).contains(where: { name in
                switch kinds[name] {
                case .sequence, .optional, .optionalSequence, .other: true
                case .tensor, nil: false
                }
            }) {
                keep(node, .sequence)
            } else if !hasDefinedTypes(node, opset("") ?? 0) {
                keep(node, .untyped)
            } else if !takesHalf(node, opset("") ?? 0) {
                keep(node, .noHalf)
            }
        }
    }

    /// Whether the type of each output is fixed or follows from an input that the node has. Otherwise, f16 inputs could turn an
    /// output into f16 that the model uses as f32.
    private func hasDefinedTypes(_ node: Node, _ opset: Int) -> Bool {
        if OperatorKinds.isTypedByNode(node) { return true }
        guard let schema = OperatorTable.shared.schema(node.operation, domain: node.domain, opset: opset) else {
            return true  // such a node doesn't support f16
        }
        let given = Set(
            node.inputs.indices.filter { !node.inputs[$0].isEmpty }.compactMap { schema.input($0) }
                .filter { !$0.isMixed }.map(\.type))
        return node.outputs.indices.allSatisfy { index in
            guard !node.outputs[index].isEmpty, let place = schema.output(index) else { return true }
            return given.contains(place.type) || schema.types[place.type].only != nil
        }
    }

    /// Whether the operator supports f16 where this node has f32.
    private func takesHalf(_ node: Node, _ opset: Int) -> Bool {
        if ["Cast", "Constant", "ConstantOfShape", "If"].contains(node.operation) { return true }
        guard let schema = OperatorTable.shared.schema(node.operation, domain: node.domain, opset: opset) else {
            return false
        }
        var free = false
        for (position, name) in node.inputs.enumerated() where isFloat(name) {
            guard let place = schema.input(position) else { return false }
            if schema.types[place.type].contains(.tensor(options.type)) { free = true }
        }
        for (position, name) in node.outputs.enumerated() where isFloat(name) {
            guard let place = schema.output(position) else { return false }
            let follows = schema.inputs.contains { $0.type == place.type }
            if follows && schema.types[place.type].contains(.tensor(options.type)) { continue }
            // An f32 output that doesn't depend on an input's type stays as it is.
            if !follows && schema.types[place.type].only == .tensor(.float32) { continue }
            return false
        }
        return free
    }

    /// Values computed element by element from shapes and constants alone stay as they are. Weights that are sliced or transposed
    /// by numbers derived from shapes aren't shapes, nor is the fill value of a tensor with a computed shape.
    private mutating func markShapes() {
        var isShape: Set<String> = []
        for node in index.nodes {
            if ["Shape", "Size"].contains(node.operation) {
                isShape.formUnion(node.outputs)
                continue
            }
            guard PrecisionRules.elementwise.contains(node.operation) else { continue }
            let isMoving =
                PrecisionRules.moving.contains(node.operation) && !["Concat", "Where"].contains(node.operation)
            let data = isMoving ? Array(node.inputs.prefix(1)) : node.inputs
            let inputs = data.filter { !$0.isEmpty && index.constants[$0] == nil }
            guard !inputs.isEmpty, inputs.allSatisfy(isShape.contains) else { continue }
            isShape.formUnion(node.outputs)
            if concerns(node) { keep(node, .shape) }
        }
    }

    private mutating func markConstants() {
        for node in index.nodes where concerns(node) {
            for (position, name) in node.inputs.enumerated()
            where isFloat(name) && !PrecisionRules.isPinned(node.operation, input: position) {
                if let problem = index.constantProblem(name, options.type) { keep(node, problem) }
            }
            if node.operation == "ConstantOfShape", case .tensor(let tensor)? = node.attribute("value")?.value,
                let problem = GraphIndex.problem(tensor, options.type)
            {
                keep(node, problem)
            }
            // f16 can't represent all integers above 2048, and none above 65504.
            if node.operation == "Cast", node.outputs.contains(where: isFloat),
                case .tensor(let type)? = kinds[node.inputs.first ?? ""],
                [.int16, .int32, .int64, .uint16, .uint32, .uint64].contains(type)
            {
                keep(node, .integers)
            }
        }
    }

    /// Values that may be too large for f16 are kept in f32 until an operator makes them small again, or for ten operators.
    private mutating func spread() {
        let origins: Set<Reason> = [.overflow, .largeConstant, .smallConstant, .integers, .bits]
        var front = index.nodes.filter { node in
            reasons[PrecisionPlan.key(node)].map(origins.contains) ?? false
                && !PrecisionRules.bounding.contains(node.operation)
        }.map { (node: $0, isInverse: false) }
        var seen = Set(front.map { PrecisionPlan.key($0.node) })
        for _ in 0..<10 where !front.isEmpty {
            var next: [(node: Node, isInverse: Bool)] = []
            for (node, isInverse) in front {
                let inverts = isInverse || node.operation == "Reciprocal" || node.operation == "Sqrt"
                for consumer in node.outputs.flatMap({ index.consumers[$0] ?? [] }) {
                    let consumer = index.nodes[consumer]
                    let ends =
                        PrecisionRules.bounding.contains(consumer.operation) || (inverts && consumer.operation == "Mul")
                    guard ends || PrecisionRules.passing.contains(consumer.operation), concerns(consumer),
                        seen.insert(PrecisionPlan.key(consumer)).inserted
                    else { continue }
                    keep(consumer, .afterOverflow)
                    if !ends { next.append((consumer, inverts)) }
                }
            }
            front = next
        }
    }

    /// Marks the producers of some values, back to where they are no longer computed element by element.
    private mutating func markSources(of values: [String], _ reason: Reason) {
        var pending = values
        var seen: Set<String> = []
        while let name = pending.popLast() {
            guard isFloat(name), seen.insert(name).inserted, let source = index.producer[name].map({ index.nodes[$0] }),
                PrecisionRules.elementwise.contains(source.operation)
            else { continue }
            keep(source, reason)
            pending += source.inputs
        }
    }

    private mutating func markSources() {
        var values: [Reason: [String]] = [:]
        for node in index.nodes {
            switch node.operation {
            case "Sin", "Cos", "Range": values[.positions, default: []] += node.inputs
            case "Loop", "Scan": values[.loop, default: []] += node.subgraphs.flatMap { $0.outputs.map(\.name) }
            case "BitCast": values[.bits, default: []] += node.inputs
            case "Cast":
                guard case .tensor(let type)? = kinds[node.outputs.first ?? ""],
                    ![.bool, .float16, .float64, .bfloat16, .float32, .string].contains(type)
                else { continue }
                values[.integers, default: []] += node.inputs
            default: break
            }
        }
        for (reason, values) in values.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            markSources(of: values, reason)
        }
    }

    /// A Transpose that moves the batch, as in PyTorch's attention, stays f32 if it feeds a MatMul. In f16, ONNX Runtime puts a
    /// Cast between them on a CPU, and 1.24 crashes when it loads that: its MatmulTransposeFusion makes a new Transpose before it
    /// notices that it cannot use it, and NchwcTransformer reads that before it has a schema.
    private mutating func markBatchTransposes() {
        for node in index.nodes where node.operation == "Transpose" && node.isStandard && concerns(node) {
            if case .ints(let order)? = node.attribute("perm")?.value, order.first == 0 { continue }
            let users = node.outputs.flatMap { index.consumers[$0] ?? [] }
            if users.contains(where: { index.nodes[$0].operation == "MatMul" }) { keep(node, .runtime) }
        }
    }

    /// A cheap node among f32 ones would only cost two casts and precision.
    private mutating func settle() {
        for _ in 0..<8 {
            var changed = false
            for node in index.nodes where concerns(node) && isHalf(node) && node.subgraphs.isEmpty {
                guard !PrecisionRules.heavy.contains(node.operation) else { continue }
                let sources = node.inputs.filter { isFloat($0) && index.constants[$0] == nil }
                let consumers = node.outputs.filter(isFloat).flatMap { index.consumers[$0] ?? [] }.map {
                    index.nodes[$0]
                }
                // A node that only tests, such as a comparison, has no f32 output.
                let isTelling = !node.outputs.contains(where: isFloat)
                guard !sources.isEmpty, isTelling || !consumers.isEmpty,
                    sources.allSatisfy({ index.producer[$0].map { !isHalf(index.nodes[$0]) } ?? false }),
                    consumers.allSatisfy({ !isHalf($0) }), !node.outputs.contains(where: index.outputs.contains)
                else { continue }
                keep(node, .between)
                changed = true
            }
            if !changed { return }
        }
    }
}
