import Apus
import Engine
import Imaging
import ONNX

/// A family as unlike DETR as can be: letterboxed BGR bytes, `orig_target_sizes`, sigmoid scores, boxes in pixels of the canvas,
/// and suppression. It takes this file and its name in a list of families.
struct LetterboxFamily: ModelFamily {
    static let name = "letterbox"
    static let decoding = "sigmoid scores and suppression"
    static let expectation = "Its inputs are images [batch, 3, side, side] and orig_target_sizes; its output is raw."
    static let modelTypes = ["letterbox"]

    let assumptions: [String] = []
    let classCount = 2
    let labels: LabelMap? = LabelMap(names: [0: "blue", 1: "wide"])
    let inputs: ModelInputs
    let padding: PaddedShapes? = nil
    let maxInputSide: Int? = nil
    let outputNames = ["raw"]

    static func claim(_ model: ModelDescription) -> FamilyClaim {
        model.outputs.map(\.name) == ["raw"] ? .certain(evidence: "an output named raw") : .unrelated
    }

    init(_ model: ModelDescription) throws(ApusError) {
        guard let image = model.inputs.first(where: { $0.dimensions.count == 4 }), let side = image.dimensions[3].size,
            let sizes = model.inputs.first(where: { $0.name == "orig_target_sizes" })
        else {
            throw ApusError(.notADetector, doing: "use the model", cause: "an input is missing")
        }
        inputs = try ModelInputs(
            pixels: image, auxiliary: [.init(sizes, .originalSizes)],
            resize: .letterbox(to: PixelSize(width: side, height: side), anchor: .center),
            format: PixelFormat(channels: .bgr, isUnitScaled: false, fill: .byte(114)))
    }

    func detections(
        in outputs: ModelOutputs, placements: [Placement], options: DecodingOptions
    ) throws -> [[Detection]] {
        try outputs.withFloats("raw", rank: 3) { values, shape in
            let coding = BoxCoding(.corners, .canvasPixels)
            return placements.enumerated().map { image, placement in
                let found = (0..<shape[1]).flatMap { row -> [Detection] in
                    let start = (image * shape[1] + row) * shape[2]
                    let box = coding.box(
                        values[start], values[start + 1], values[start + 2], values[start + 3], in: placement)
                    return (0..<classCount).compactMap { label in
                        let score = Scoring.sigmoid(values[start + 4 + label])
                        return score > options.threshold
                            ? Detection(score: score, label: label, category: nil, box: box) : nil
                    }
                }
                return NonMaxSuppression(maxIoU: 0.5).kept(of: found)
            }
        }
    }
}

/// A model of that family, which finds what its inputs tell: blue, by the means of its channels, and whether the image is wide.
enum LetterboxModel {
    static func bytes() throws -> [UInt8] {
        func tensor(_ name: String, _ dimensions: [Int], _ values: [Float]) -> ONNXTensor {
            ONNXTensor(name: name, floats: values, shape: dimensions)
        }
        var graph = Graph()
        graph.name = "letterbox"
        graph.inputs = [
            ValueDeclaration(
                name: "images", type: .tensor(.float32, [.fixed(1), .fixed(3), .fixed(64), .fixed(64)])),
            ValueDeclaration(name: "orig_target_sizes", type: .tensor(.int64, [.fixed(1), .fixed(2)])),
        ]
        graph.outputs = [ValueDeclaration(name: "raw", type: .tensor(.float32, [.fixed(1), .fixed(3), .fixed(6)]))]
        graph.initializers = [
            // The first channel less the last one.
            tensor("channels", [3, 2], [0.02, 0, 0, 0, -0.02, 0]),
            // Width less height.
            tensor("sides", [2, 2], [0, 0.1, 0, -0.1]),
            tensor("offsets", [1, 3, 2], [5, -40, 4, -40, -40, 5]),
            tensor("boxes", [1, 3, 4], [16, 24, 48, 40, 17, 24, 48, 40, 0, 16, 64, 48]),
        ]
        graph.nodes = [
            Node(
                "ReduceMean", inputs: ["images"], outputs: ["means"],
                attributes: [.ints("axes", [2, 3]), .int("keepdims", 0)]),
            Node("MatMul", inputs: ["means", "channels"], outputs: ["blue"]),
            Node("Cast", inputs: ["orig_target_sizes"], outputs: ["sizes"], attributes: [.int("to", 1)]),
            Node("MatMul", inputs: ["sizes", "sides"], outputs: ["wide"]),
            Node("Add", inputs: ["blue", "wide"], outputs: ["found"]),
            Node("Add", inputs: ["offsets", "found"], outputs: ["logits"]),
            Node("Concat", inputs: ["boxes", "logits"], outputs: ["raw"], attributes: [.int("axis", 2)]),
        ]
        var model = ONNXModel()
        model.opsets = [("", 17)]
        model.graph = graph
        return try ONNXFile.skeleton(model)
    }
}
