import Apus
import ApusWorkflows
import ArgumentParser
import CommandSupport
import ModelTools
import ONNX

/// Network settings that a checkpoint does not contain.
struct ExportOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The ONNX opset version, \(DETRExportOptions.opsets.lowerBound) to \(DETRExportOptions.opsets.upperBound).",
            valueName: "n"))
    var opset = 17

    @Option(help: ArgumentHelp("Fix the image height, with --width; default: any.", valueName: "pixels"))
    var height: Int?

    @Option(help: ArgumentHelp("Fix the image width, with --height; default: any.", valueName: "pixels"))
    var width: Int?

    @Option(help: ArgumentHelp("Fix the batch size; default: any.", valueName: "n"))
    var batch: Int?

    @Option(
        help: ArgumentHelp("Attention heads; default: from config.json or the checkpoint, else 8.", valueName: "n")
    )
    var heads: Int?

    @Flag(
        inversion: .prefixedNo,
        help: "Dilate the backbone's last stage; default: from config.json, the checkpoint or its name.")
    var dc5: Bool?

    @Option(
        help: ArgumentHelp("Class names: JSON, or a text file with one name per line.", valueName: "file"),
        completion: .file())
    var labels: String?

    @Option(
        help: ArgumentHelp(
            "Length of the shorter side in pixels; default: 800, as in DETR's training.", valueName: "n"))
    var shortest: Int?

    @Option(help: ArgumentHelp("Maximum length of the longer side in pixels; default: 1333.", valueName: "n"))
    var longest: Int?

    func validate() throws {
        guard (shortest == nil) == (longest == nil) else {
            throw ValidationError("--shortest and --longest must be given together.")
        }
        if let shortest, let longest {
            guard shortest > 0, longest >= shortest, longest <= 10_000 else {
                throw ValidationError("--shortest must be above 0, and --longest from --shortest to 10000.")
            }
        }
        guard (height == nil) == (width == nil) else {
            throw ValidationError("--height and --width must be given together.")
        }
    }

    func settings() throws(ApusError) -> CheckpointExport.Settings {
        var settings = CheckpointExport.Settings()
        settings.export.opset = opset
        settings.export.batch = batch
        settings.export.height = height
        settings.export.width = width
        settings.network = DETROptions(heads: heads, isDilated: dc5)
        if let labels { settings.labels = try LabelMap(contentsOfFile: labels).names }
        if let shortest, let longest { settings.resize = .init(shortest: shortest, longest: longest) }
        return settings
    }
}

/// Whether a new model is compared with its source.
struct CheckOptions: ParsableArguments {
    @Flag(
        inversion: .prefixedNo,
        help: "Run the new model and its source on random and extreme inputs, and compare the outputs.")
    var check = true

    @OptionGroup var runtime: RuntimeOptions

    var policy: CheckPolicy { check ? .run(runtime: runtime.runtime) : .none }
}

enum ReportFormat: String, CaseIterable, ExpressibleByArgument {
    case text, json
}
