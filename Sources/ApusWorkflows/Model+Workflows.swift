public import Apus
public import Foundation
internal import ModelTools
internal import ONNX
internal import Remedies

/// What a workflow wrote, and how that was checked.
public struct ModelFiles: Sendable {
    /// The model, ready to load.
    public var model: Model
    /// The .onnx file, and the file that holds its weights where they don't fit into it.
    public var files: [URL]
    /// What the input left open and was assumed, one sentence each.
    public var assumptions: [String]
    /// How each output of the new model differs from that of what it was made of, one sentence each; nil if it was not checked.
    public var differences: [String]?

    fileprivate init(_ made: CheckedModel, at path: String, assumptions: [String]) {
        model = .file(path)
        files = [URL(fileURLWithPath: path)] + (made.written.dataPath.map { [URL(fileURLWithPath: $0)] } ?? [])
        self.assumptions = assumptions
        differences = made.check.map { $0.differences.map(\.description) }
    }
}

/// What an exported model takes and computes in.
public struct ModelExportOptions: Sendable {
    /// f32, or f16 with inputs and outputs of f32.
    public var isHalfPrecision = false
    /// Whether a second input, `valid_sizes` [batch, 2], holds the height and width of each image on its canvas, so that images of
    /// several sizes make a batch and a GPU compiles for a few canvases only.
    public var hasPadding = false
    /// Images per run; nil for any number.
    public var batch: Int?
    /// The height of images in pixels; nil for any.
    public var height: Int?
    /// The width of images in pixels; nil for any.
    public var width: Int?
    /// Attention heads; nil reads them from `config.json`, else takes 8.
    public var heads: Int?
    /// Whether the last stage of the backbone is dilated (DC5); nil reads it from the weights or `config.json`.
    public var isDilated: Bool?
    /// The names of the classes; nil for those of `config.json`, else COCO's where the number of classes is theirs.
    public var labels: LabelMap?
    /// Whether the model is run beside the network that it was made of, and dropped if their outputs differ.
    public var isChecked = true
    /// The folder of the runtime for the check; nil searches the usual places.
    public var runtime: String?

    /// The defaults.
    public init() {}
}

extension Model {
    /// Exports a DETR checkpoint (.pth or .safetensors) to an ONNX model, as `apus export` does.
    ///
    /// - Parameters:
    ///   - checkpoint: read as data; nothing in it is executed.
    ///   - output: the .onnx file, written at once or not at all.
    ///   - options: what the model takes and computes in.
    ///   - observer: called on this task, in order.
    /// - Throws: `ApusError` with code `checkpoint` if the file isn't such a network, `verification` if the exported model computes
    ///   something else, `option` if the file can't be written. No file is left then.
    public static func export(
        checkpoint: URL, to output: URL, options: ModelExportOptions = ModelExportOptions(),
        observer: WorkflowObserver = { _ in }
    ) async throws -> ModelFiles {
        var settings = CheckpointExport.Settings()
        settings.export.hasPadding = options.hasPadding
        settings.export.batch = options.batch
        settings.export.height = options.height
        settings.export.width = options.width
        settings.network = DETROptions(heads: options.heads, isDilated: options.isDilated)
        settings.labels = options.labels?.names
        settings.precision = options.isHalfPrecision ? .f16 : .f32
        let result = try await CheckpointExport(
            checkpoint: checkpoint.path, output: output.path, settings: settings,
            check: options.isChecked ? .run(runtime: options.runtime) : .none
        ).run(observer: observer)
        return ModelFiles(
            result.made, at: output.path, assumptions: result.assumptions.map { $0.text(for: .library) })
    }

    /// Converts an ONNX model of f32 to one that computes in f16 where that is safe, as `apus convert` does.
    ///
    /// - Parameters:
    ///   - model: the .onnx file.
    ///   - output: the .onnx file to write, at once or not at all; not the same.
    ///   - keepsInputsAndOutputs: whether inputs and outputs stay f32.
    ///   - isChecked: whether both models are run, and the new one dropped if their outputs differ.
    ///   - runtime: the folder of the runtime for the check; nil searches the usual places.
    ///   - observer: called on this task, in order.
    /// - Throws: `ApusError` with code `model` if the file can't be converted, `verification` if the new model computes something
    ///   else, `option` if it can't be written. No file is left then.
    public static func convertToHalfPrecision(
        _ model: URL, to output: URL, keepsInputsAndOutputs: Bool = true, isChecked: Bool = true,
        runtime: String? = nil,
        observer: WorkflowObserver = { _ in }
    ) async throws -> ModelFiles {
        var options = PrecisionOptions()
        options.keepsIO = keepsInputsAndOutputs
        let result = try await ModelConversion(
            model: model.path, output: output.path, options: options,
            check: isChecked ? .run(runtime: runtime) : .none
        ).run(observer: observer)
        return ModelFiles(result.made, at: output.path, assumptions: [])
    }
}
