import Apus
import ApusWorkflows
import ArgumentParser
import CommandSupport
import Engine
import Foundation
import ModelTools
import ONNX

struct ConvertCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Convert an FP32 model to FP16.",
        discussion: """
            Accepts any ONNX model. Nodes that f16 cannot represent or compute safely stay f32; the report lists them with \
            the reason. The new model is type-checked, compared with the original, and discarded if the outputs differ.

            Examples:
              apus convert model.onnx -o model.f16.onnx
              apus convert model.onnx -o model.f16.onnx --keep-io --block-op Softmax --block-node '/head/*'
              apus convert model.onnx -o small.onnx --precision f16-weights
            """)

    @Argument(help: "An .onnx file.", completion: .file(extensions: ["onnx"]))
    var model: String

    @Option(
        name: .shortAndLong, help: ArgumentHelp("The .onnx file to write.", valueName: "file"),
        completion: .file(extensions: ["onnx"]))
    var output: String

    @Option(
        help: ArgumentHelp(
            "f16 computes in f16; f16-weights only stores weights in f16; bf16-safe stays f32.",
            discussion: "bf16-safe: for a device set to compute in bf16 (apus detect --precision bf16)."))
    var precision = PrecisionTarget.f16

    @Flag(name: .customLong("keep-io"), help: "Keep inputs and outputs in f32.")
    var keepIO = false

    @Option(
        name: .customLong("block-op"), parsing: .singleValue,
        help: ArgumentHelp("Keep all nodes with this operator in f32; may be repeated.", valueName: "operator"))
    var blockOperators: [String] = []

    @Option(
        name: .customLong("block-node"), parsing: .singleValue,
        help: ArgumentHelp(
            "Keep the node with this name, or with an output of this name, in f32; a trailing * matches any suffix.",
            valueName: "name"))
    var blockNodes: [String] = []

    @Option(help: "The output format; json lists every node that stays f32.")
    var format = ReportFormat.text

    @OptionGroup var check: CheckOptions

    mutating func run() async throws {
        try await Terminal.reporting {
            var options = PrecisionOptions()
            options.target = precision
            options.keepsIO = keepIO
            options.blockedOperators = Set(blockOperators)
            options.blockedNodes = blockNodes
            let result = try await ModelConversion(
                model: model, output: output, options: options, check: check.policy
            ).run(observer: Terminal.observer())
            let (report, made, building) = (result.report, result.made, result.building)
            switch format {
            case .text: ModelReport.print(lines(report, made, building))
            case .json:
                let bytes = made.written.bytes + made.written.dataBytes
                Terminal.print(
                    try ReportJSON.text(
                        ConvertReport(
                            model: model, output: output, bytes: bytes, precision: precision.rawValue,
                            conversion: ConversionReport(report), check: made.check.map(CheckReport.init),
                            seconds: (building + made.writing).seconds, checkSeconds: made.checking?.seconds)))
            }
        }
        Terminal.exit(0)
    }

    private func lines(
        _ report: PrecisionReport, _ made: CheckedModel, _ building: Duration
    ) -> [(String, String)] {
        let time =
            ModelReport.seconds(building + made.writing)
            + (made.checking.map { ", and \(ModelReport.seconds($0)) for the check" } ?? "")
        return ModelReport.lines(made, path: output) + ModelReport.lines(report, precision)
            + ModelReport.checkLines(made) + [("time", time)]
    }
}

extension PrecisionTarget: ExpressibleByArgument {}

/// The JSON output of `apus convert`, documented in docs/models.md.
struct ConvertReport: Encodable {
    var model: String
    var output: String
    var bytes: Int
    var precision: String
    var conversion: ConversionReport
    var check: CheckReport?
    var seconds: Double
    var checkSeconds: Double?
}
