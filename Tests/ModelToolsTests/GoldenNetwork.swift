import Engine
import Foundation
import ModelTools
import ONNX
import ONNXRuntime
import TestSupport

/// A checkpoint in Fixtures/checkpoints with what PyTorch answers.
struct GoldenNetwork {
    let name: String
    let checkpoint: Checkpoint
    private let path: String

    init(_ name: String, file: String? = nil) throws {
        self.name = name
        path = Fixtures.path("checkpoints/\(file ?? name + ".pth")")
        checkpoint = try Checkpoint(path: path)
    }

    func export(_ change: (inout DETRExportOptions) -> Void = { _ in }) throws -> DETRExport {
        var options = DETRExportOptions()
        change(&options)
        let weights = try DETRWeights(
            checkpoint, options: DETROptions(), configuration: ModelConfiguration(besideCheckpoint: path))
        return try DETRExport(
            checkpoint, weights: weights, options: options,
            description: .init(
                labels: nil, preprocessing: PreprocessorConfiguration(besideCheckpoint: path), version: "test"))
    }

    func golden(_ kind: String) throws -> NPY {
        try NPY(contentsOf: Fixtures.url("checkpoints/\(name).\(kind).npy"))
    }

    /// How far answers are from PyTorch's f32 ones, and how far those are from its f64 ones.
    func errors(
        _ session: Session, _ inputs: [String: Tensor], golden kind: String
    ) throws -> (logits: Double, boxes: Double, ownLogits: Double, ownBoxes: Double) {
        let outputs = try session.run(inputs)
        func difference(_ one: [Float], _ other: [Float]) -> Double {
            guard one.count == other.count, !one.isEmpty else { return .infinity }
            return zip(one, other).map { Double(abs($0 - $1)) }.max() ?? .infinity
        }
        func error(_ output: String, _ what: String) throws -> (Double, Double) {
            let golden = try golden("\(kind)_\(what)").values
            let exact = (try? self.golden("\(kind)_\(what)_exact").values) ?? golden
            return (difference(try outputs[output]?.elements() ?? [], golden), difference(golden, exact))
        }
        let (logits, ownLogits) = try error("pred_logits", "logits")
        let (boxes, ownBoxes) = try error("pred_boxes", "boxes")
        return (logits, boxes, ownLogits, ownBoxes)
    }
}

extension ONNXModel {
    /// The model on ONNX Runtime's CPU kernels, or OpenVINO's.
    func session(_ provider: ExecutionTarget = .ownKernels) throws -> Session {
        let folder = try TemporaryFolder()
        try ONNXFile.write(self, to: folder.path("model.onnx"))
        return try Session(
            runtime: TestRuntime.load(), model: .file(folder.path("model.onnx")),
            options: SessionOptions(provider))
    }
}
