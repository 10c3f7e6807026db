public import Apus
public import Foundation
internal import ModelTools
internal import ONNX
internal import Remedies

/// What a workflow wrote, and how it was checked.
public struct ModelFiles: Sendable {
    /// The model, ready to load.
    public var model: Model
    /// The .onnx file, and the file that holds its weights if they don't fit into it.
    public var files: [URL]
    /// What the input doesn't state and was assumed, one sentence each.
    public var assumptions: [String]
    /// How each output of the new model differs from its source's, one sentence each; nil if it wasn't checked.
    public var differences: [String]?

    fileprivate init(_ made: CheckedModel, at path: String, assumptions: [String]) {
        model = .file(path)
        files = [URL(fileURLWithPath: path)] + (made.written.dataPath.map { [URL(fileURLWithPath: $0)] } ?? [])
        self.assumptions = assumptions
        differences = made.check.map { $0.differences.map(\.description) }
    }
}

/// The inputs and precision of an exported model.
public struct ModelExportOptions: Sendable {
    /// f32, or f16 with inputs and outputs of f32.
    public var isHalfPrecision = false
    /// Whether a second input, `valid_sizes` [batch, 2], holds the height and width of each image on its canvas, so that a batch
    /// may have images of several sizes and a GPU compiles for a few canvases only.
    public var hasPadding = false
    /// Images per run; nil for any number.
    public var batch: Int?
    /// The height of images in pixels; nil for any.
    public var height: Int?
    /// The width of images in pixels; nil for any.
    public var width: Int?
    /// Attention heads; nil reads them from `config.json`, else uses 8.
    public var heads: Int?
    /// Whether the last stage of the backbone is dilated (DC5); nil detects it from the weights or `config.json`.
    public var isDilated: Bool?
    /// The names of the classes; nil uses those of `config.json`, else COCO's if the number of classes matches.
    public var labels: LabelMap?
    /// Whether to run the model next to the network it was made from, and drop it if their outputs differ.
    public var isChecked = true
    /// The folder of the runtime for the check; nil searches the default locations.
    public var runtime: String?

    /// The defaults.
    public init() {}
}

extension Model {
    /// Exports a DETR checkpoint (.pth or .safetensors) to an ONNX model, as `apus export` does.
    ///
    /// - Parameters:
    ///   - checkpoint: read as data; nothing in it is executed.
    ///   - output: the .onnx file, written atomically.
    ///   - options: the model's inputs and precision.
    ///   - observer: called on this task, in order.
    /// - Throws: `ApusError` with code `checkpoint` if the file isn't such a network, `verification` if the exported model's
    ///   outputs differ, `option` if the file can't be written. No file is left behind then.
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

    /// Converts an ONNX model from f32 to f16 where that is safe, as `apus convert` does.
    ///
    /// - Parameters:
    ///   - model: the .onnx file.
    ///   - output: the .onnx file to write, atomically; it must not be `model`.
    ///   - keepsInputsAndOutputs: whether inputs and outputs stay f32.
    ///   - isChecked: whether to run both models, and drop the new one if their outputs differ.
    ///   - runtime: the folder of the runtime for the check; nil searches the default locations.
    ///   - observer: called on this task, in order.
    /// - Throws: `ApusError` with code `model` if the file can't be converted, `verification` if the new model's outputs differ,
    ///   `option` if it can't be written. No file is left behind then.
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
