import Apus
import ApusWorkflows
import ArgumentParser
import CommandSupport
import Engine
import Foundation
import ModelTools
import ONNX
import Remedies

struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Describe a model or a checkpoint.",
        discussion: """
            Reads .onnx files, PyTorch checkpoints (never runs code in them) and safetensors. Needs no runtime.

            Examples:
              apus inspect model.onnx
              apus inspect detr-r50-e632da11.pth --format json
              apus inspect model.onnx --height 480 --width 640
            """)

    @Argument(
        help: "An .onnx file, a checkpoint, or the name of a pulled model.",
        completion: .file(extensions: ["onnx", "pth", "pt", "safetensors"]))
    var file: String

    @Option(help: ArgumentHelp("The image height for the compute estimate.", valueName: "pixels"))
    var height = 800

    @Option(help: ArgumentHelp("The image width for the compute estimate.", valueName: "pixels"))
    var width = 1066

    @OptionGroup var familyOption: FamilyOption

    @Option(help: "The output format.")
    var format = ReportFormat.text

    func validate() throws {
        guard (1...10_000).contains(height), (1...10_000).contains(width) else {
            throw ValidationError("--height and --width must be from 1 to 10000.")
        }
    }

    mutating func run() async throws {
        try Terminal.reporting {
            let path = try ModelStore.path(of: file)
            let doing = "inspect \(path)"
            let bytes = try ModelToolsError.wrapping(doing: doing) { try Bytes(mapping: path) }
            let report =
                Checkpoint.format(of: bytes) != nil
                ? try checkpoint(path, bytes, doing) : try model(path, bytes.count, doing)
            switch format {
            case .text: ModelReport.print(report.lines)
            case .json: Terminal.print(try ReportJSON.text(report))
            }
        }
    }

    private func checkpoint(_ path: String, _ bytes: Bytes, _ doing: String) throws -> InspectReport {
        let file = try ModelToolsError.wrapping(doing: doing, .checkpoint) { try Checkpoint(path: path) }
        var report = InspectReport(path: path, kind: file.format.rawValue, bytes: bytes.count)
        report.tensors = file.tensors.count
        report.parameters = file.parameterCount
        report.entry = file.entry
        report.arguments = file.arguments.isEmpty ? nil : file.arguments
        for tensor in file.tensors.values {
            report.bytesByType[tensor.type.name, default: 0] += tensor.count * tensor.type.size
        }
        do {
            let weights = try DETRWeights(
                file, options: DETROptions(), configuration: try ModelConfiguration(besideCheckpoint: path))
            report.family = DETR.name
            report.network = ExportReport.Network(weights.architecture)
            report.leftOut = weights.leftOut.isEmpty ? nil : weights.leftOut
            let export = try DETRExport(
                file, weights: weights, options: DETRExportOptions(),
                description: .init(
                    labels: nil, preprocessing: try PreprocessorConfiguration(besideCheckpoint: path),
                    version: Apus.version))
            report.estimate(export.model, height: height, width: width)
        } catch {
            report.whyNoFamily = error.cause
        }
        return report
    }

    private func model(_ path: String, _ count: Int, _ doing: String) throws -> InspectReport {
        let model = try ModelToolsError.wrapping(doing: doing) { try ONNXFile.read(path) }
        let summary = ModelSummary(model, fileBytes: count)
        var report = InspectReport(path: path, kind: "ONNX", bytes: count)
        report.irVersion = summary.irVersion
        report.opsets = Dictionary(summary.opsets.map { ($0.domain, $0.version) }) { $1 }
        report.producer = summary.producer
        report.inputs = model.graph.inputs.map(ModelSummary.text)
        report.outputs = model.graph.outputs.map(ModelSummary.text)
        report.nodes = summary.nodes
        report.operators = summary.operators
        report.parameters = summary.parameters
        report.bytesByType = summary.bytesByType
        report.metadata = Dictionary(model.metadata.map { ($0.key, $0.value) }) { $1 }
        do {
            let recognized = try ModelFamilies.recognize(
                ModelDescription(model, at: path), chosen: familyOption.family)
            report.family = recognized.name
            report.familyEvidence = recognized.evidence
            report.assumptions = recognized.family.assumptions
        } catch {
            report.whyNoFamily =
                error.cause + (error.advice.map { "\n" + $0.text(for: .command) } ?? "")
        }
        report.estimate(model, height: height, width: width)
        return report
    }
}
