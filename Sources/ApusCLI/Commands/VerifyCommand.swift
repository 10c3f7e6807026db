public import Apus
internal import ApusWorkflows
public import ArgumentParser
import CommandSupport
import Foundation

extension VerificationReference: ExpressibleByArgument {}

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Compare a device's results with a reference, and record the verdict.",
        discussion: """
            Runs the same images on the device, at each precision it supports, and on a trusted reference. The exit code \
            is 0 if a precision passes, 1 if none does. `apus detect` then reports whether the device was verified, and \
            --require-verified rejects one that was not.

            Examples:
              apus verify --device gpu
              apus verify --model detr-r50 --images photos/ --threshold 0.7
              apus verify --device gpu --format json > verdict.json
            """)

    @OptionGroup var options: ModelOptions

    @Option(
        help: ArgumentHelp("An image or a folder of images; default: three bundled images.", valueName: "path"),
        completion: .directory)
    var images: String?

    @Option(
        help: """
            The trusted reference: cpu-f32 is ONNX Runtime's own CPU kernels, which share no code with OpenVINO; \
            openvino-cpu-f32 is OpenVINO's CPU device.
            """)
    var reference = VerificationReference.cpu

    @Option(
        help: ArgumentHelp(
            "Compile the canvases for this batch size, as apus serve --max-batch does.", valueName: "n"))
    var batch = 1

    @Option(help: "The output format; docs/gpu.md describes json.")
    var format = ReportFormat.text

    @OptionGroup var limits: LimitOptions

    mutating func run() async throws {
        let report = try Terminal.reporting {
            let pictures = try pictures()
            var configuration = try options.configuration()
            configuration.batchSize = batch
            let verifier = Verifier(
                model: try options.chosenModel(), configuration: configuration, reference: reference)
            let progress = StepProgress()
            defer { progress.clear() }
            return try verifier.report(on: pictures) { progress.show($0) }
        }
        switch format {
        case .text: Terminal.print(VerifyReport.text(report))
        case .json: Terminal.print(try ReportJSON.text(report))
        }
        Terminal.exit(report.fastest == nil ? 1 : 0)
    }

    private func pictures() throws -> [Verifier.Picture] {
        guard let images else { return try SamplePictures.all() }
        let limits = try limits.limits
        let pictures = try ImageInput.expand(images).map { found -> Verifier.Picture in
            guard case .file(let path) = try found.input.get() else {
                throw ApusError(
                    .option, doing: "verify with \(found.name)", cause: "it is not a file or folder",
                    remedy: "Save the images in a folder, and name that folder.")
            }
            return (path, try Image(contentsOfFile: path, limits: limits))
        }
        guard !pictures.isEmpty else {
            throw ApusError(
                .image, doing: "verify with \(images)", cause: "it contains no images",
                remedy: "Use a folder of JPEG, PNG or WebP files.")
        }
        return pictures
    }
}

/// The text output of `apus verify`.
private enum VerifyReport {
    static func text(_ report: VerificationReport) -> String {
        let name = report.deviceName.isEmpty ? "" : ": \(report.deviceName)"
        var lines = [
            "model      \(report.model)",
            "device     \(report.device)\(name)\(report.driver.isEmpty ? "" : ", driver \(report.driver)")",
            "reference  \(report.reference), \(milliseconds(report.referenceMillisecondsPerImage)) per image",
            "images     \(report.images.count), with \(report.objects) objects above \(report.threshold)",
            "",
        ]
        if report.objects == 0 {
            lines.insert("           (no objects found, so the verdict covers logits and boxes of all queries)", at: 4)
        }
        for candidate in report.candidates { lines += block(candidate, report) + [""] }
        lines += conclusion(report)
        return (lines + report.notes.map { "note: \($0)" }).map { TerminalText.escaped($0, keepingLines: false) }
            .joined(separator: "\n")
    }

    /// The device's default is the first candidate.
    private static func conclusion(_ report: VerificationReport) -> [String] {
        let wrong = report.candidates.filter { !$0.passed && $0.error == nil }.map { name($0.precision) }
        let failed = report.candidates.filter { $0.error != nil }.map { name($0.precision) }
        func list(_ names: [String]) -> String { names.joined(separator: " and ") }
        let device = report.device
        if let fastest = report.fastest {
            var lines: [String] = []
            if let first = report.candidates.first, !first.passed, report.candidates.count > 1 {
                lines.append(
                    first.error == nil
                        ? "At \(name(first.precision)), the default of \(device), its results are WRONG: use --precision \(fastest.rawValue)"
                        : "At \(name(first.precision)), the default of \(device), the model does not run: use --precision \(fastest.rawValue)"
                )
            } else if !wrong.isEmpty {
                lines.append("At \(list(wrong)), the results of \(device) are WRONG.")
            } else if !failed.isEmpty {
                lines.append("At \(list(failed)), the model does not run on \(device).")
            }
            let passed = report.candidates.filter(\.passed).map { name($0.precision) }
            lines.append(
                "The results of \(device) are correct at \(list(passed)). Fastest precision that passes: \(fastest.rawValue)"
            )
            return lines
        }
        guard !wrong.isEmpty else {
            return ["The model does not run on \(device): apus doctor --device \(device.lowercased())"]
        }
        if device == "CPU" {
            return [
                "The results of CPU are WRONG at \(list(wrong)): do not use that precision with this model.",
                "Use --precision f32, or --provider cpu (ONNX Runtime's own kernels).",
            ]
        }
        return [
            "The results of \(device) are WRONG: do not use it with this model.",
            "Update its driver (apus doctor --device \(device.lowercased())), or use --device cpu.",
        ]
    }

    private static func name(_ precision: Precision) -> String {
        precision == .auto ? "own types" : precision.rawValue
    }

    private static func block(_ candidate: VerificationReport.Candidate, _ report: VerificationReport) -> [String] {
        let ratio = candidate.millisecondsPerImage / max(report.referenceMillisecondsPerImage, 0.001)
        let name = name(candidate.precision)
        if let error = candidate.error {
            let lines = error.split(separator: "\n")
            return [name + String(repeating: " ", count: max(1, 11 - name.count)) + "does not run"]
                + lines.map { "  \($0)" }
        }
        var lines = [
            name + String(repeating: " ", count: max(1, 11 - name.count)) + (candidate.passed ? "passes" : "FAILS")
                + ", \(milliseconds(candidate.millisecondsPerImage)) per image "
                + String(format: "(%.2f of the reference's)", ratio),
            "  objects  \(candidate.matched) of \(report.objects) matched, \(candidate.lost) lost, \(candidate.added) added, "
                + "\(candidate.moved) moved, \(candidate.borderline) at the threshold",
        ]
        if candidate.matched > 0 {
            lines.append(
                String(
                    format: "  drift    scores by at most %.4f, %.4f on average; boxes overlap by at least %.3f",
                    candidate.largestScoreDrift, candidate.meanScoreDrift, candidate.leastOverlap))
        }
        for (name, output) in candidate.outputs.sorted(by: { $0.key < $1.key }) {
            lines.append(
                "  \(name)  off by at most \(number(output.largestDifference)), \(number(output.meanDifference)) on "
                    + "average, of values up to \(number(output.scale)); correlation "
                    + String(format: "%.6f", output.correlation))
        }
        for (name, limits) in candidate.limits.sorted(by: { $0.key < $1.key }) where limits.isRaised {
            lines.append(
                "  limits   of \(name) raised to \(number(limits.difference)) of the largest value and a correlation of "
                    + String(format: "%.4f", limits.correlation)
                    + ": the network amplifies the rounding of its input alone")
        }
        return lines + candidate.failures.map { "  wrong    \($0)" }
    }

    private static func milliseconds(_ value: Double) -> String { String(format: "%.1f ms", value) }

    private static func number(_ value: Double) -> String {
        value.isFinite ? String(format: "%.2g", value) : "not a number"
    }
}

/// A status line on standard error that is overwritten; nothing unless it is a terminal.
struct StepProgress {
    private let isShown = isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"

    func show(_ step: String) { if isShown { Terminal.redraw("\(step) …") } }

    func clear() { if isShown { Terminal.redraw("") } }
}
