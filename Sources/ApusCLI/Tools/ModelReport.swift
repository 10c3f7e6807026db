import Apus
import ApusWorkflows
import CommandSupport
import Foundation
import ModelTools
import ONNX

/// The report on a new model, as lines of a name and a text.
enum ModelReport {
    static func lines(_ made: CheckedModel, path: String) -> [(String, String)] {
        let summary = ModelSummary(made.model, fileBytes: made.written.bytes + made.written.dataBytes)
        var lines = [
            ("model", "\(path)  \(Megabytes.text(summary.fileBytes)), opset \(summary.opset), \(summary.nodes) nodes")
        ]
        if let data = made.written.dataPath {
            lines.append(("weights", "\(data)  \(Megabytes.text(made.written.dataBytes)): keep it next to the model"))
        }
        lines += made.model.graph.inputs.map { ("input", ModelSummary.text($0)) }
        lines += made.model.graph.outputs.map { ("output", ModelSummary.text($0)) }
        return lines
    }

    static func checkLines(_ made: CheckedModel) -> [(String, String)] {
        guard let check = made.check else { return [("check", "skipped (--no-check)")] }
        return check.differences.map { ("check", "\($0)") }
            + check.skipped.map { ("skipped", "\($0): the source does not run on it") }
    }

    /// How many nodes stayed f32, by reason, the most frequent first.
    static func lines(_ report: PrecisionReport, _ target: PrecisionTarget = .f16) -> [(String, String)] {
        var byReason: [String: [String: Int]] = [:]
        for kept in report.kept { byReason[kept.reason, default: [:]][kept.operation, default: 0] += 1 }
        let summary =
            switch target {
            case .f16:
                "\(report.convertedNodes) nodes and \(report.convertedWeights) weights; \(report.kept.count) nodes stay f32, "
                    + "\(report.casts) casts between"
            case .f16Weights: "\(report.convertedWeights) weights, with a Cast each; \(report.kept.count) stay f32"
            case .bf16Safe: "\(report.convertedNodes) Softmax of attention written as LogSoftmax and Exp"
            }
        var lines = [(target.rawValue, summary)]
        func count(_ operations: [String: Int]) -> Int { operations.values.reduce(0, +) }
        for (reason, operations) in byReason.sorted(by: { (count($0.value), $1.key) > (count($1.value), $0.key) }) {
            let list = operations.sorted { ($0.value, $1.key) > ($1.value, $0.key) }.map { "\($0.value) \($0.key)" }
            lines.append(("stays f32", "\(list.joined(separator: ", ")): \(reason)"))
        }
        return lines
    }

    static func print(_ lines: [(String, String)]) {
        // Keeps a name on one line, whatever it contains, and indents the lines of a text. Escapes first, because "\r\n" is one
        // character, which does not equal a newline.
        let lines = lines.map { (TerminalText.escaped($0.0, keepingLines: false), TerminalText.escaped($0.1)) }
        let width = lines.map(\.0.count).max() ?? 0
        for (index, line) in lines.enumerated() {
            // Does not repeat the name of the line above.
            let name = index > 0 && lines[index - 1].0 == line.0 ? "" : line.0
            let rest = line.1.replacing("\n", with: "\n" + String(repeating: " ", count: width + 2))
            Terminal.print(name.padding(toLength: width, withPad: " ", startingAt: 0) + "  " + rest)
        }
    }

    static func seconds(_ duration: Duration) -> String { String(format: "%.2f s", duration.seconds) }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
