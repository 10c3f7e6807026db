import Apus
import Foundation

/// The text output of `apus detect`.
enum TextReport {
    static func table(_ report: ImageReport) -> String {
        var lines = ["\(report.image)  \(report.width)x\(report.height)"]
        let names = report.results.map { $0.category ?? "class \($0.label)" }
        let width = max(8, names.map(\.count).max() ?? 0)
        if report.results.isEmpty {
            lines.append("  nothing above \(number(report.threshold))")
        } else {
            lines.append("  " + pad("object", width) + "  score     left      top    right   bottom")
        }
        for (result, name) in zip(report.results, names) {
            let edges = result.boxes.map { String(format: "%8.1f", $0) }.joined(separator: " ")
            lines.append("  " + pad(name, width) + String(format: "  %5.3f ", result.score) + edges)
        }
        let time = report.timingsMs
        lines.append(
            String(
                format: "  %.1f ms: decode %.1f, preprocess %.1f, inference %.1f, postprocess %.1f",
                time.decode + time.preprocess + time.inference + time.postprocess, time.decode, time.preprocess,
                time.inference, time.postprocess))
        if let annotated = report.annotated { lines.append("  boxes drawn in \(annotated)") }
        return TextReport.joined(lines) + "\n"
    }

    /// What ran, where and why: the same for all images.
    static func footer(_ detector: Detector) -> String {
        let execution = detector.execution
        var lines = [
            "model     \(detector.modelName) (\(detector.family), \(execution.precision?.rawValue ?? "the model's own types"))",
            "device    \(execution.device)\(execution.deviceName.map { ": \($0)" } ?? "") (\(execution.reason))",
        ]
        if let nodes = execution.nodes {
            let total = nodes.values.reduce(0, +)
            let list = nodes.sorted { $0.key < $1.key }.map { "\($0.value) of \(total) nodes on \($0.key)" }
            lines.append("provider  " + list.joined(separator: ", "))
        } else {
            lines.append(
                "provider  \(execution.provider) (ONNX Runtime \(execution.runtimeVersion) cannot list its nodes)")
        }
        lines.append("shapes    \(shapes(detector))")
        for shape in detector.compiledShapes where isCached(execution) || shape.note != nil {
            let name = shape.canvas.map { "\($0)" } ?? "all sizes"
            let duration = String(format: "in %.1f s", shape.duration.milliseconds / 1000)
            let end =
                switch shape.origin {
                case .cache: "read from the cache \(duration)"
                case .compiled: "compiled \(duration)"
                case .failed: "FAILED, a larger one handles its images"
                }
            lines.append("compiled  \(name): \(end)" + (shape.note.map { " (\($0))" } ?? ""))
        }
        lines.append("verified  \(verified(execution.verification))")
        for assumption in detector.assumptions { lines.append("assumed   \(assumption)") }
        return TextReport.joined(lines)
    }

    /// Joins lines; each stays one line, whatever characters a model's names contain.
    private static func joined(_ lines: [String]) -> String {
        lines.map { TerminalText.escaped($0, keepingLines: false) }.joined(separator: "\n")
    }

    private static func isCached(_ execution: Execution) -> Bool {
        if case .folder = execution.cache { true } else { false }
    }

    private static func shapes(_ detector: Detector) -> String {
        let canvases = detector.execution.canvases
        let reason = detector.execution.shapeReason
        return canvases.isEmpty ? reason : canvases.map(\.description).joined(separator: ", ") + " (\(reason))"
    }

    private static func verified(_ status: VerificationStatus) -> String {
        switch status.state {
        case .yes: "yes, on \(status.date ?? "")"
        case .no: "NO, found wrong on \(status.date ?? ""): \(status.summary ?? "")"
        case .never: "never (apus verify compares the results with a reference)"
        }
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private static func number(_ value: Float) -> String { String(format: "%g", value) }
}
