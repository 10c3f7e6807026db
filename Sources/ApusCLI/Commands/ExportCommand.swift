import Apus
import ApusWorkflows
import ArgumentParser
import CommandSupport
import Foundation
import ModelTools

extension CheckpointExport.Precision: ExpressibleByArgument {}

struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Export a DETR checkpoint to ONNX.",
        discussion: """
            Reads PyTorch checkpoints (.pth, .pt; never runs code in them) and safetensors, in DETR's or Hugging Face's \
            layout, and writes the network with batch norm folded in and dynamic batch, height and width. The new model is \
            compared with the network as the reference implementation builds it, and discarded if the outputs differ.

            Examples:
              apus export detr-r50-e632da11.pth -o detr-r50.onnx
              apus export model.safetensors -o detr.onnx --precision f16 --padding
              apus export custom.pth -o custom.onnx --labels classes.txt --height 800 --width 1066
            """)

    @Argument(
        help: "A checkpoint: .pth, .pt or .safetensors.", completion: .file(extensions: ["pth", "pt", "safetensors"]))
    var checkpoint: String

    @Option(
        name: .shortAndLong, help: ArgumentHelp("The .onnx file to write.", valueName: "file"),
        completion: .file(extensions: ["onnx"]))
    var output: String

    @Option(help: "The precision the model computes in; with f16, inputs and outputs stay f32.")
    var precision = CheckpointExport.Precision.f32

    @Flag(
        help: ArgumentHelp(
            "Add an input valid_sizes [batch, 2], so that images of different sizes can share a batch.",
            discussion:
                "It holds the height and width of each image on its canvas; the rest is masked, as in PyTorch."))
    var padding = false

    @OptionGroup var options: ExportOptions

    @Option(help: "The output format.")
    var format = ReportFormat.text

    @OptionGroup var check: CheckOptions

    mutating func run() async throws {
        try await Terminal.reporting {
            var settings = try options.settings()
            settings.export.hasPadding = padding
            settings.precision = precision
            let result = try await CheckpointExport(
                checkpoint: checkpoint, output: output, settings: settings, check: check.policy
            ).run(observer: Terminal.observer())
            switch format {
            case .text: ModelReport.print(result.lines(path: output))
            case .json: Terminal.print(try ExportReport(result, path: output).json())
            }
        }
        Terminal.exit(0)
    }
}
