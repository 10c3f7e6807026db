import Apus
import Engine
import Foundation
import Imaging
import ModelTools
import ONNX

extension Operation {
    /// The operations per image and per model.
    static var all: [Operation] {
        [
            decode("street.jpg"), decode("farm.jpg"),
            Operation("resize 1280x960 to 640") {
                let image = bitmap(width: 1280, height: 960)
                return { _ = image.resized(width: 640, height: 480) }
            },
            Operation("normalize 640x480") {
                let size = PixelSize(width: 640, height: 480)
                let image = ResizedPixels.bytes(bitmap(width: size.width, height: size.height))
                let format = PixelFormat(normalization: .imageNet)
                return {
                    _ = try format.tensor([(image, 0, 0)], as: .float32, count: 1, canvas: size)
                }
            },
            Operation("check an ONNX model") {
                let model = Bytes([UInt8](try file("Sources/CDemoModel/demo.onnx")))
                return { _ = try ModelStructure(model) }
            },
            Operation("read a JSON header") {
                let checkpoint = Bytes([UInt8](try file("Tests/Fixtures/readers/plain.safetensors")))
                return { _ = try Checkpoint(bytes: checkpoint, name: "plain.safetensors") }
            },
            Operation("decode 100 DETR queries") { try decodeDETR(queries: 100, classes: 91) },
        ]
    }

    private static func decode(_ name: String) -> Operation {
        Operation("decode \(name)") {
            let bytes = [UInt8](try file("Examples/pictures/\(name)"))
            return { _ = try ImageDecoder.decode(bytes) }
        }
    }

    private static func decodeDETR(queries: Int, classes: Int) throws -> () throws -> Void {
        func value(_ name: String, _ last: Int) -> ValueInfo {
            ValueInfo(name: name, elementType: .float32, dimensions: [.dynamic(nil), .dynamic(nil), .fixed(last)])
        }
        let image = ValueInfo(
            name: "inputs", elementType: .float32, dimensions: [.dynamic(nil), .fixed(3), .dynamic(nil), .dynamic(nil)])
        let family = try ModelFamilies.recognize(
            ModelDescription(
                ModelSignature(
                    inputs: [image], outputs: [value("pred_logits", classes + 1), value("pred_boxes", 4)], metadata: [:]
                ))
        ).family
        // Every tenth query is a detection.
        let logits = (0..<queries * (classes + 1)).map { index in
            index % (classes + 1) == (index / (classes + 1) % 10 == 0 ? 3 : classes) ? Float(9) : 0
        }
        let outputs = [
            "pred_logits": try Tensor(shape: [1, queries, classes + 1], scalars: logits),
            "pred_boxes": try Tensor(shape: [1, queries, 4], scalars: [Float](repeating: 0.5, count: 4 * queries)),
        ]
        let size = PixelSize(width: 640, height: 480)
        let placement = Placement(original: size, filling: size)
        return {
            _ = try family.detections(
                in: ModelOutputs(outputs), placements: [placement], options: DecodingOptions(threshold: 0.5))
        }
    }

    private static func bitmap(width: Int, height: Int) -> Bitmap {
        Bitmap(width: width, height: height, pixels: (0..<3 * width * height).map { UInt8(truncatingIfNeeded: $0) })
    }

    /// Relative to the package's root.
    private static func file(_ path: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: #filePath).appendingPathComponent("../../../" + path).standardized)
    }
}
