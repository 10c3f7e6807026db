import Apus
import ApusWorkflows
import ArgumentParser
import CommandSupport
import ModelTools
import ONNX

/// What a checkpoint does not say of its network.
struct ExportOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The version of ONNX's operators, \(DETRExportOptions.opsets.lowerBound) to \(DETRExportOptions.opsets.upperBound).",
            valueName: "n"))
    var opset = 17

    @Option(help: ArgumentHelp("Fix the height of pictures, with --width; default: any.", valueName: "pixels"))
    var height: Int?

    @Option(help: ArgumentHelp("Fix the width of pictures, with --height; default: any.", valueName: "pixels"))
    var width: Int?

    @Option(help: ArgumentHelp("Fix the number of pictures at a time; default: any.", valueName: "n"))
    var batch: Int?

    @Option(
        help: ArgumentHelp("Attention heads; default: what config.json or the checkpoint says, else 8.", valueName: "n")
    )
    var heads: Int?

    @Flag(
        inversion: .prefixedNo,
        help: "The last stage of the backbone is dilated; default: what config.json, the checkpoint or its name says.")
    var dc5: Bool?

    @Option(
        help: ArgumentHelp("Class names: JSON, or a text file with one name per line.", valueName: "file"),
        completion: .file())
    var labels: String?

    @Option(help: ArgumentHelp("Pixels that the shorter side gets; default: 800, as DETR was trained.", valueName: "n"))
    var shortest: Int?

    @Option(help: ArgumentHelp("The most pixels of the longer side; default: 1333.", valueName: "n"))
    var longest: Int?

    func validate() throws {
        guard (shortest == nil) == (longest == nil) else {
            throw ValidationError("--shortest and --longest go together.")
        }
        if let shortest, let longest {
            guard shortest > 0, longest >= shortest, longest <= 10_000 else {
                throw ValidationError("--shortest is above 0, --longest no smaller and at most 10000.")
            }
        }
        guard (height == nil) == (width == nil) else { throw ValidationError("--height and --width go together.") }
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

/// Whether a model that was made is run beside what it was made of.
struct CheckOptions: ParsableArguments {
    @Flag(
        inversion: .prefixedNo,
        help: "Run the new model and what it was made of on random and extreme inputs, and compare the answers.")
    var check = true

    @OptionGroup var runtime: RuntimeOptions

    var policy: CheckPolicy { check ? .run(runtime: runtime.runtime) : .none }
}

enum ReportFormat: String, CaseIterable, ExpressibleByArgument {
    case text, json
}
