internal import CModelTools
internal import ONNX

/// Writing the planned graph.
extension PrecisionConverter {
    private mutating func unique(_ name: String) -> String {
        if taken.insert(name).inserted { return name }
        var number = 2
        while !taken.insert("\(name)_\(number)").inserted { number += 1 }
        return "\(name)_\(number)"
    }

    /// The name of the f16 or f32 version of an f32 value of the source.
    private mutating func name(_ value: String, half: Bool) -> String {
        if let known = half ? halfNames[value] : fullNames[value] { return known }
        let isOwn = half == stored.contains(value)
        // An output that keeps its type keeps its name too, so the stored value gets another.
        let isMoved = stored.contains(value) && keptOutputs.contains(value)
        let name = isOwn != isMoved ? value : unique(value + (half ? "_f16" : "_f32"))
        if half { halfNames[value] = name } else { fullNames[value] = name }
        return name
    }

    private mutating func storedName(_ value: String) -> String {
        isFloat(value) ? name(value, half: stored.contains(value)) : value
    }

    /// The Cast to the type in which a value is not stored, if it is needed.
    private mutating func cast(_ value: String) -> Node? {
        guard isFloat(value) else { return nil }
        let isHalf = stored.contains(value)
        guard isHalf ? wantsFull.contains(value) : wantsHalf.contains(value) else { return nil }
        castCount += 1
        let target = name(value, half: !isHalf)
        return Node(
            "Cast", inputs: [name(value, half: isHalf)], outputs: [target],
            attributes: [.int("to", (isHalf ? DataType.float32 : options.type).rawValue)], name: "\(target)/cast")
    }

    mutating func rewritten(_ graph: Graph) -> Graph {
        var result = graph
        result.nodes = []
        result.nodes.reserveCapacity(graph.nodes.count)
        for index in result.initializers.indices where stored.contains(result.initializers[index].name) {
            result.initializers[index].becomeHalf()
        }
        for index in result.inputs.indices where stored.contains(result.inputs[index].name) {
            if case .tensor(_, let shape)? = result.inputs[index].type {
                result.inputs[index].type = .tensor(options.type, shape)
            }
        }
        let given =
            graph.inputs.map(\.name) + graph.initializers.map(\.name) + graph.sparseInitializers.map(\.values.name)
        var seen: Set<String> = []
        for value in given where seen.insert(value).inserted {
            if let cast = cast(value) { result.nodes.append(cast) }
        }
        for node in graph.nodes {
            result.nodes.append(rewritten(node))
            for output in node.outputs { if let cast = cast(output) { result.nodes.append(cast) } }
        }
        return result
    }

    private mutating func rewritten(_ node: Node) -> Node {
        var node = node
        let original = node
        for index in node.inputs.indices where isFloat(node.inputs[index]) {
            let value = node.inputs[index]
            node.inputs[index] =
                PrecisionRules.takesEither(original)
                ? storedName(value) : name(value, half: wantsHalfInput(original, index))
        }
        for index in node.outputs.indices { node.outputs[index] = storedName(node.outputs[index]) }
        if let output = original.outputs.first, stored.contains(output) {
            switch node.operation {
            case "Cast": node.set(.int("to", options.type.rawValue))
            case "Constant", "ConstantOfShape":
                var tensor =
                    node.constantTensor ?? ONNXTensor(name: "", floats: [0], shape: [1])  // ConstantOfShape's default
                tensor.becomeHalf()
                node.attributes = [Attribute("value", .tensor(tensor))]
            default: break
            }
        }
        node.mapSubgraphs { $0 = rewritten(subgraph: $0, of: original) }
        return node
    }

    private mutating func rewritten(subgraph graph: Graph, of node: Node) -> Graph {
        var result = rewritten(graph)
        for index in graph.outputs.indices where isFloat(graph.outputs[index].name) {
            result.outputs[index].name = name(graph.outputs[index].name, half: givesHalf(node, index))
        }
        return result
    }
}

extension Node {
    fileprivate mutating func set(_ attribute: Attribute) {
        attributes.removeAll { $0.name == attribute.name }
        attributes.append(attribute)
    }
}

extension ONNXTensor {
    /// Rounds f32 to f16, to nearest, ties to even, when the tensor is written.
    mutating func becomeHalf() {
        let original = self
        let count = count
        type = .float16
        payload = .computed(byteCount: 2 * count) {
            guard let bytes = original.bytes(), count > 0 else { return [] }
            defer { bytes.releaseIfLarge() }
            return [UInt8](unsafeUninitializedCapacity: 2 * count) { target, written in
                bytes.withUnsafeBytes { source in
                    if let source = source.baseAddress, let target = target.baseAddress {
                        apus_half_from_float(source, target, count)
                    }
                }
                written = 2 * count
            }
        }
    }
}
