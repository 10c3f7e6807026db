import Apus
import Engine
import ONNX
import Testing

/// What the last operators of a graph reveal about its outputs.
@Suite struct GraphTailTests {
    /// A model with DETR's outputs whose boxes are a sigmoid of the value `sum`, taken from the last of several layers.
    private func description(_ nodes: [Node], _ constants: [ONNXTensor] = []) throws -> ModelDescription {
        var graph = Graph()
        graph.inputs = [
            ValueDeclaration(name: "image", type: .tensor(.float32, [.fixed(1), .fixed(3), .unknown, .unknown]))
        ]
        graph.outputs = [("pred_logits", 92), ("pred_boxes", 4)].map { name, count in
            ValueDeclaration(name: name, type: .tensor(.float32, [.fixed(1), .fixed(300), .fixed(count)]))
        }
        graph.initializers =
            constants + [
                ONNXTensor(name: "weights", floats: [Float](repeating: 0, count: 1024), shape: [256, 4]),
                ONNXTensor(name: "bias", floats: [0, 0, 0, 0], shape: [4]),
                ONNXTensor(name: "last", integers: [5], shape: []),
            ]
        graph.nodes =
            nodes + [
                Node("Sigmoid", inputs: ["sum"], outputs: ["all"]),
                Node("Gather", inputs: ["all", "last"], outputs: ["pred_boxes"]),
            ]
        var model = ONNXModel()
        model.graph = graph
        return try ModelDescription(model)
    }

    private let product = Node("MatMul", inputs: ["hidden", "weights"], outputs: ["product"])
    private let reference = ONNXTensor(
        name: "reference", floats: [Float](repeating: 0, count: 1200), shape: [1, 300, 4])

    @Test func boxesOfALinearLayerAreThoseOfDETR() throws {
        let heads = [
            [product, Node("Add", inputs: ["bias", "product"], outputs: ["sum"])],
            [
                product, Node("Cast", inputs: ["bias"], outputs: ["half"]),
                Node("Add", inputs: ["product", "half"], outputs: ["sum"]),
            ],
            [Node("Gemm", inputs: ["hidden", "weights", "bias"], outputs: ["sum"])],
            [product, Node("Reshape", inputs: ["product", "shape"], outputs: ["sum"])],
        ]
        for head in heads {
            let model = try description(head)
            #expect(model.offsetOutputs.isEmpty && model.scoredOutputs == ["pred_boxes": "Sigmoid"])
            #expect(try ModelFamilies.recognize(model).name == "detr")
        }
    }

    /// As exported from Conditional DETR, where the inverse sigmoid of the reference points is a constant.
    @Test func boxesWithAReferencePointPerQueryAreAmbiguous() throws {
        let biased = Node("Add", inputs: ["product", "bias"], outputs: ["biased"])
        let heads = [
            [product, biased, Node("Add", inputs: ["biased", "reference"], outputs: ["sum"])],
            [product, biased, Node("ScatterND", inputs: ["biased", "places", "moved"], outputs: ["sum"])],
            [product, biased, Node("Concat", inputs: ["moved", "rest"], outputs: ["sum"])],
        ]
        for head in heads {
            let model = try description(head, [reference])
            #expect(model.offsetOutputs == ["pred_boxes"])
            let error = #expect(throws: ApusError.self) { try ModelFamilies.recognize(model) }
            #expect(error?.code == .ambiguousModel)
            #expect(try ModelFamilies.recognize(model, chosen: .detr).name == "detr")
        }
    }
}
