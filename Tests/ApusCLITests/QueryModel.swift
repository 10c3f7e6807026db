import ONNX

/// Small models with object queries, whose outputs are named as wanted.
enum QueryModel {
    /// - Parameter outputs: name and last dimension of each.
    static func bytes(outputs: [(String, Int)]) throws -> [UInt8] {
        var graph = Graph()
        graph.name = "queries"
        graph.inputs = [
            ValueDeclaration(
                name: "pixel_values",
                type: .tensor(.float32, [.fixed(1), .fixed(3), .named("height"), .named("width")]))
        ]
        // The mean of the pixels, at most, in every place.
        graph.nodes = [
            Node(
                "ReduceMean", inputs: ["pixel_values"], outputs: ["mean"],
                attributes: [.ints("axes", [1, 2, 3]), .int("keepdims", 0)]),
            Node("Clip", inputs: ["mean", "low", "high"], outputs: ["share"]),
        ]
        graph.initializers = [
            ONNXTensor(name: "low", floats: [0], shape: []), ONNXTensor(name: "high", floats: [1], shape: []),
        ]
        for (name, last) in outputs {
            let count = 5 * last
            graph.initializers.append(
                ONNXTensor(
                    name: name + "_base", floats: (0..<count).map { Float($0 % 7) / 10 }, shape: [1, 5, last]))
            graph.nodes.append(Node("Add", inputs: [name + "_base", "share"], outputs: [name]))
            graph.outputs.append(
                ValueDeclaration(name: name, type: .tensor(.float32, [.fixed(1), .fixed(5), .fixed(last)])))
        }
        var model = ONNXModel()
        model.opsets = [("", 17)]
        model.graph = graph
        return try ONNXFile.skeleton(model)
    }
}
