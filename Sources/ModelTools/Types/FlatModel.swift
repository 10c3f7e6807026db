internal import ONNX
internal import Remedies

/// A model simplified for passes: functions are inlined, and every value has a unique name across all graphs, so that one
/// dictionary holds everything known about each.
struct FlatModel {
    private(set) var model: ONNXModel
    /// Names in use, with the next number to try.
    private var taken: [String: Int] = [:]
    private var functions: [String: Function] = [:]
    /// The current names of the values in scope.
    private var names = ScopedNames()
    private var budget = 10_000_000

    static func of(_ model: ONNXModel) throws(ModelToolsError) -> ONNXModel {
        var flat = FlatModel(model: model)
        try flat.run()
        return flat.model
    }

    private init(model: ONNXModel) { self.model = model }

    private mutating func run() throws(ModelToolsError) {
        for function in model.functions {
            functions[FlatModel.key(function.domain, function.name, function.overload)] = function
            for opset in function.opsets where model.opset(opset.domain) == nil {
                model.opsets.append(opset)
            }
        }
        model.functions = []
        var graph = model.graph
        // The names in the outermost graph are the model's own: they are reserved first and stay.
        let own =
            graph.inputs.map(\.name) + graph.outputs.map(\.name) + graph.initializers.map(\.name)
            + graph.sparseInitializers.map(\.values.name) + graph.nodes.flatMap(\.outputs)
        for name in own { taken[name] = 2 }
        graph.nodes = try nodes(graph.nodes, attributes: nil, depth: 0, isOwn: true)
        model.graph = graph
    }

    private static func key(_ domain: String, _ name: String, _ overload: String) -> String {
        "\(ONNXModel.canonical(domain)):\(name):\(overload)"
    }

    private mutating func unique(_ name: String) -> String {
        guard var number = taken[name] else {
            taken[name] = 2
            return name
        }
        while taken["\(name)_\(number)"] != nil { number += 1 }
        taken[name] = number + 1
        taken["\(name)_\(number)"] = 2
        return "\(name)_\(number)"
    }

    /// The nodes with the names valid at their new place.
    ///
    /// - Parameters:
    ///   - attributes: the call's attributes, in a function's body.
    ///   - isOwn: values keep their names, which are reserved already.
    private mutating func nodes(
        _ nodes: [Node], attributes: [String: Attribute]?, depth: Int, isOwn: Bool = false
    ) throws(ModelToolsError) -> [Node] {
        guard depth <= 64 else {
            throw ModelToolsError(
                .malformed, "functions or graphs are nested deeper than 64",
                remedy: "Export the model without nested functions.")
        }
        var result: [Node] = []
        result.reserveCapacity(nodes.count)
        for node in nodes {
            try spend(1 + node.inputs.count + node.outputs.count + node.attributes.count)
            var node = node
            if let attributes { node.attributes = node.attributes.compactMap { FlatModel.resolved($0, attributes) } }
            if attributes != nil, let unknown = node.inputs.first(where: { !$0.isEmpty && names[$0] == nil }) {
                throw .malformed("a function uses \(unknown), which nothing in it outputs")
            }
            node.inputs = node.inputs.map { names[$0] ?? $0 }
            if let function = functions[FlatModel.key(node.domain, node.operation, node.overload)] {
                let outputs = isOwn ? node.outputs : node.outputs.map { $0.isEmpty ? "" : unique($0) }
                if !isOwn { for (old, new) in zip(node.outputs, outputs) { names[old] = new } }
                result += try call(function, node, outputs: outputs, depth: depth)
                continue
            }
            if !isOwn {
                node.outputs = node.outputs.map { output in
                    if output.isEmpty { return "" }
                    let name = unique(output)
                    names[output] = name
                    return name
                }
            }
            try mapGraphs(of: &node, attributes: attributes, depth: depth)
            result.append(node)
        }
        return result
    }

    private mutating func mapGraphs(
        of node: inout Node, attributes: [String: Attribute]?, depth: Int
    ) throws(ModelToolsError) {
        try node.mapSubgraphs { graph throws(ModelToolsError) in
            graph = try self.graph(graph, attributes: attributes, depth: depth + 1)
        }
    }

    /// Counts the work, which nested function calls could make endless.
    private mutating func spend(_ parts: Int) throws(ModelToolsError) {
        budget -= parts
        guard budget >= 0 else {
            throw ModelToolsError(
                .unsupported, "it has more than 10 million parts when its functions are inlined",
                remedy: "Export the model without functions.")
        }
    }

    private mutating func graph(
        _ graph: Graph, attributes: [String: Attribute]?, depth: Int
    ) throws(ModelToolsError) -> Graph {
        try spend(
            graph.inputs.count + graph.initializers.count + graph.sparseInitializers.count + graph.values.count
                + graph.outputs.count)
        var graph = graph
        let outer = names.mark
        defer { names.restore(outer) }
        for index in graph.inputs.indices {
            let name = unique(graph.inputs[index].name)
            names[graph.inputs[index].name] = name
            graph.inputs[index].name = name
        }
        let inputs = Set(graph.inputs.map(\.name))
        for index in graph.initializers.indices {
            let old = graph.initializers[index].name
            // An input with a default uses one name for both.
            let name = names[old].flatMap { inputs.contains($0) ? $0 : nil } ?? unique(old)
            names[old] = name
            graph.initializers[index].name = name
        }
        for index in graph.sparseInitializers.indices {
            let name = unique(graph.sparseInitializers[index].values.name)
            names[graph.sparseInitializers[index].values.name] = name
            graph.sparseInitializers[index].values.name = name
        }
        graph.nodes = try nodes(graph.nodes, attributes: attributes, depth: depth)
        for index in graph.outputs.indices {
            graph.outputs[index].name = names[graph.outputs[index].name] ?? graph.outputs[index].name
        }
        graph.values = graph.values.compactMap { value in
            names[value.name].map { name in
                var value = value
                value.name = name
                return value
            }
        }
        return graph
    }

    /// Replaces a call with the function's body.
    private mutating func call(
        _ function: Function, _ node: Node, outputs: [String], depth: Int
    ) throws(ModelToolsError) -> [Node] {
        for opset in function.opsets where model.opset(opset.domain) != opset.version {
            throw ModelToolsError(
                .unsupported,
                "the function \(function.name) has opset \(opset.version), but the model has \(model.opset(opset.domain) ?? 0)",
                remedy: "Export the model with its functions inlined, or with a single opset.")
        }
        try spend(
            function.inputs.count + function.outputs.count + function.attributeDefaults.count + function.opsets.count)
        var attributes: [String: Attribute] = [:]
        for attribute in function.attributeDefaults + node.attributes { attributes[attribute.name] = attribute }
        var inner = ScopedNames()
        for (index, input) in function.inputs.enumerated() {
            inner[input] = index < node.inputs.count ? node.inputs[index] : ""
        }
        let given = Set(node.inputs.prefix(function.inputs.count) + [""])
        // A function doesn't see the names around its call.
        swap(&inner, &names)
        let made = Result { () throws(ModelToolsError) in
            try nodes(function.nodes, attributes: attributes, depth: depth + 1)
        }
        swap(&inner, &names)
        var body = try made.get()
        // The function's outputs get the caller's names for them.
        var renamed: [String: String] = [:]
        for (index, output) in function.outputs.enumerated() where index < outputs.count && !outputs[index].isEmpty {
            guard let name = inner[output] else {
                throw .malformed("the function \(function.name) does not produce its output \(output)")
            }
            if renamed[name] == nil, !given.contains(name) {
                renamed[name] = outputs[index]
            } else {
                body.append(Node("Identity", inputs: [renamed[name] ?? name], outputs: [outputs[index]]))
            }
        }
        return body.map { FlatModel.renamed($0, renamed) }
    }

    private static func renamed(_ node: Node, _ names: [String: String]) -> Node {
        var node = node
        node.inputs = node.inputs.map { names[$0] ?? $0 }
        node.outputs = node.outputs.map { names[$0] ?? $0 }
        node.mapSubgraphs { $0 = renamed($0, names) }
        return node
    }

    private static func renamed(_ graph: Graph, _ names: [String: String]) -> Graph {
        var graph = graph
        graph.nodes = graph.nodes.map { renamed($0, names) }
        for index in graph.outputs.indices {
            graph.outputs[index].name = names[graph.outputs[index].name] ?? graph.outputs[index].name
        }
        return graph
    }

    /// An attribute that refers to the function's takes its value from the call; nil if the call has none.
    private static func resolved(_ attribute: Attribute, _ attributes: [String: Attribute]) -> Attribute? {
        guard case .reference(let name, _) = attribute.value else { return attribute }
        return attributes[name].map { Attribute(attribute.name, $0.value) }
    }
}

/// Names by older names; the latest changes can be undone. A copy per nested graph would cost as much as everything around it.
private struct ScopedNames {
    private var current: [String: String] = [:]
    private var changes: [(name: String, before: String?)] = []

    var mark: Int { changes.count }

    subscript(name: String) -> String? {
        get { current[name] }
        set { changes.append((name, current.updateValue(newValue ?? "", forKey: name))) }
    }

    mutating func restore(_ mark: Int) {
        while changes.count > mark, let change = changes.popLast() { current[change.name] = change.before }
    }
}
