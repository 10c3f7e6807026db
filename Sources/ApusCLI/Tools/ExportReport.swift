import Apus
import ApusWorkflows
import Foundation
import ModelTools
import ONNX
import Remedies

extension CheckpointExport.Result {
    func lines(path: String) -> [(String, String)] {
        let network = export.weights.architecture
        let parameters = String(format: "%.1f million parameters", Double(export.weights.parameterCount) / 1e6)
        var lines = [
            (
                "checkpoint",
                "\(checkpoint.name)  \(checkpoint.format.rawValue), \(export.weights.layout) names, \(parameters)"
            ),
            ("network", ExportReport.Network(network).text),
        ]
        lines += assumptions.map { ("assumed", $0.text(for: .command)) }
        if !export.weights.leftOut.isEmpty {
            let parts = export.weights.leftOut.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value) tensors)" }
            lines.append(("left out", parts.joined(separator: ", ") + ": not needed for detection"))
        }
        lines += ModelReport.lines(made, path: path)
        if let conversion { lines += ModelReport.lines(conversion) }
        lines += ModelReport.checkLines(made)
        lines.append(
            (
                "time",
                ModelReport.seconds(building + made.writing)
                    + (made.checking.map { ", and \(ModelReport.seconds($0)) for the check" } ?? "")
            ))
        return lines
    }
}

/// The JSON output of `apus export`, documented in docs/models.md.
struct ExportReport: Encodable {
    struct Network: Encodable {
        var family = "detr"
        var backbone: String
        var isDilated: Bool
        var encoderLayers: Int
        var decoderLayers: Int
        var hiddenSize: Int
        var heads: Int
        var queries: Int
        var classes: Int

        init(_ network: DETRArchitecture) {
            backbone = network.backbone
            isDilated = network.isDilated
            encoderLayers = network.encoderLayers
            decoderLayers = network.decoderLayers
            hiddenSize = network.hiddenSize
            heads = network.heads
            queries = network.queries
            classes = network.classes
        }

        var text: String {
            "DETR, \(backbone)\(isDilated ? " DC5" : ""), \(encoderLayers) encoder and \(decoderLayers) decoder layers of "
                + "\(hiddenSize) channels, \(heads) heads, \(queries) queries, \(classes) classes"
        }
    }

    var checkpoint: String
    var checkpointFormat: String
    var parameters: Int
    var network: Network
    var assumptions: [String]
    var leftOut: [String: Int]
    var output: String
    var bytes: Int
    var nodes: Int
    var opset: Int
    var check: CheckReport?
    var conversion: ConversionReport?
    var seconds: Double
    var checkSeconds: Double?

    init(_ result: CheckpointExport.Result, path: String) {
        checkpoint = result.checkpoint.name
        checkpointFormat = result.checkpoint.format.rawValue
        parameters = result.export.weights.parameterCount
        network = Network(result.export.weights.architecture)
        assumptions = result.assumptions.map { $0.text(for: .command) }
        leftOut = result.export.weights.leftOut
        output = path
        bytes = result.made.written.bytes + result.made.written.dataBytes
        let summary = ModelSummary(result.made.model, fileBytes: bytes)
        nodes = summary.nodes
        opset = summary.opset
        check = result.made.check.map(CheckReport.init)
        conversion = result.conversion.map(ConversionReport.init)
        seconds = (result.building + result.made.writing).seconds
        checkSeconds = result.made.checking?.seconds
    }

    func json() throws -> String { try ReportJSON.text(self) }
}

enum ReportJSON {
    static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return TerminalText.json(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}

struct CheckReport: Encodable {
    struct Output: Encodable {
        var output: String
        var largestDifference: Double
        var meanDifference: Double
        var scale: Double
        var limit: Double
        var isSensitive: Bool
    }

    var outputs: [Output]
    var inputs: [String]
    var skipped: [String]

    init(_ report: ModelCheck.Report) {
        outputs = report.differences.map {
            Output(
                output: $0.output, largestDifference: $0.largest, meanDifference: $0.mean, scale: $0.scale,
                limit: $0.limit, isSensitive: $0.isSensitive)
        }
        inputs = report.inputs
        skipped = report.skipped
    }
}

struct ConversionReport: Encodable {
    struct Kept: Encodable {
        var node: String
        var `operator`: String
        var reason: String
    }

    var convertedNodes: Int
    var convertedWeights: Int
    var casts: Int
    var keptF32: [Kept]

    init(_ report: PrecisionReport) {
        convertedNodes = report.convertedNodes
        convertedWeights = report.convertedWeights
        casts = report.casts
        keptF32 = report.kept.map { Kept(node: $0.node, operator: $0.operation, reason: $0.reason) }
    }
}
