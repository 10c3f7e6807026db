import ApusWorkflows
import Foundation
import ModelTools
import ONNX

/// The output of `apus inspect`; its JSON is documented in docs/models.md.
struct InspectReport: Encodable {
    struct Arithmetic: Encodable {
        var gigaflops: Double
        var height: Int
        var width: Int
        /// Operators whose cost is unknown.
        var uncounted: Int

        var text: String {
            let size = "for an image of \(width)x\(height)"
            guard uncounted > 0 else { return String(format: "%.1f GFLOPs", gigaflops) + " \(size), estimated" }
            // The count is meaningless when most operators are not counted.
            guard gigaflops >= 0.05 else { return "unknown: \(uncounted) operators have no known cost" }
            return String(format: "at least %.1f GFLOPs", gigaflops) + " \(size); \(uncounted) operators not counted"
        }
    }

    var path: String
    var kind: String
    var bytes: Int
    var parameters = 0
    var bytesByType: [String: Int] = [:]
    var family: String?
    /// How the family was determined.
    var familyEvidence: String?
    var whyNoFamily: String?
    var assumptions: [String]?
    var arithmetic: Arithmetic?
    // For a model.
    var irVersion: Int?
    var opsets: [String: Int]?
    var producer: String?
    var inputs: [String]?
    var outputs: [String]?
    var nodes: Int?
    var operators: [String: Int]?
    var metadata: [String: String]?
    // For a checkpoint.
    var tensors: Int?
    var entry: String?
    var arguments: [String: String]?
    var network: ExportReport.Network?
    var leftOut: [String: Int]?

    init(path: String, kind: String, bytes: Int) {
        self.path = path
        self.kind = kind
        self.bytes = bytes
    }

    mutating func estimate(_ model: ONNXModel, height: Int, width: Int) {
        // A fixed-size model has its own size.
        var (height, width) = (height, width)
        if case .tensor(_, let shape?)? = model.graph.inputs.first?.type, shape.count == 4 {
            if case .fixed(let size) = shape[2] { height = size }
            if case .fixed(let size) = shape[3] { width = size }
        }
        let evaluation = ShapeEvaluation(model, batch: 1, height: height, width: width)
        guard evaluation.operations > 0 else { return }
        arithmetic = Arithmetic(
            gigaflops: (evaluation.operations / 1e7).rounded() / 100, height: height, width: width,
            uncounted: evaluation.uncounted)
    }

    var lines: [(String, String)] {
        var lines = [("file", "\(path)  \(kind), \(Megabytes.text(bytes))")]
        if let opsets {
            let list = opsets.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
            lines.append(("opset", "\(list); IR version \(irVersion ?? 0)"))
        }
        if let producer, !producer.isEmpty { lines.append(("producer", producer)) }
        lines += (inputs ?? []).map { ("input", $0) } + (outputs ?? []).map { ("output", $0) }
        if let tensors { lines.append(("tensors", "\(tensors)" + (entry.map { ", under \($0)" } ?? ""))) }
        let sizes = bytesByType.sorted { $0.value > $1.value }.map { "\($0.key) \(Megabytes.text($0.value))" }
        lines.append(
            ("parameters", "\(parameters)" + (sizes.isEmpty ? "" : "; weights: \(sizes.joined(separator: ", "))")))
        if let operators, let nodes {
            let list = operators.sorted { ($0.value, $1.key) > ($1.value, $0.key) }.map { "\($0.value) \($0.key)" }
            lines.append(("nodes", "\(nodes): \(list.joined(separator: ", "))"))
        }
        if let arithmetic { lines.append(("arithmetic", arithmetic.text)) }
        lines.append(
            (
                "family",
                family.map { $0 + (familyEvidence.map { ": \($0)" } ?? "") } ?? "unknown: \(whyNoFamily ?? "")"
            ))
        if let network { lines.append(("network", network.text)) }
        lines += (assumptions ?? []).map { ("assumed", $0) }
        lines += (leftOut ?? [:]).sorted { $0.key < $1.key }.map { ("left out", "\($0.key), \($0.value) tensors") }
        for (key, value) in (metadata ?? arguments ?? [:]).sorted(by: { $0.key < $1.key }) {
            lines.append(("metadata", "\(key): \(value.count > 100 ? value.prefix(100) + "…" : value)"))
        }
        return lines
    }
}
