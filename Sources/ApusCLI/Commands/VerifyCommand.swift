public import Apus
internal import ApusWorkflows
public import ArgumentParser
import CommandSupport
import Foundation

extension VerificationReference: ExpressibleByArgument {}

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Compare a device's answers with a reference's, and remember the verdict.",
        discussion: """
            Runs the same pictures on the device, at each precision it offers, and on a reference that is trusted. The \
            exit code is 0 if a precision passes, 1 if none does. `apus detect` then says whether it was verified, and \
            --require-verified refuses what was not.

            Examples:
              apus verify --device gpu
              apus verify --model detr-r50 --images photos/ --threshold 0.7
              apus verify --device gpu --format json > verdict.json
            """)

    @OptionGroup var options: ModelOptions

    @Option(
        help: ArgumentHelp("A folder of pictures, or one; default: three that come with Apus.", valueName: "path"),
        completion: .directory)
    var images: String?

    @Option(
        help: """
            What is trusted: cpu-f32 is ONNX Runtime's own CPU kernels, which share no code with OpenVINO; \
            openvino-cpu-f32 is OpenVINO's CPU device.
            """)
    var reference = VerificationReference.cpu

    @Option(
        help: ArgumentHelp(
            "Compile the canvases for this many pictures at a time, as apus serve --max-batch does.", valueName: "n"))
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
                    .option, doing: "verify with \(found.name)", cause: "it is no file or folder",
                    remedy: "Save the pictures in a folder, and name that.")
            }
            return (path, try Image(contentsOfFile: path, limits: limits))
        }
        guard !pictures.isEmpty else {
            throw ApusError(
                .image, doing: "verify with \(images)", cause: "there is no picture in it",
                remedy: "Give a folder of JPEG, PNG or WebP files.")
        }
        return pictures
    }
}

/// What `apus verify` says to people.
private enum VerifyReport {
    static func text(_ report: VerificationReport) -> String {
        let name = report.deviceName.isEmpty ? "" : ": \(report.deviceName)"
        var lines = [
            "model      \(report.model)",
            "device     \(report.device)\(name)\(report.driver.isEmpty ? "" : ", driver \(report.driver)")",
            "reference  \(report.reference), \(milliseconds(report.referenceMillisecondsPerImage)) a picture",
            "pictures   \(report.images.count), with \(report.objects) objects above \(report.threshold)",
            "",
        ]
        if report.objects == 0 {
            lines.insert("           (nothing is found, so the verdict is on logits and boxes of all queries)", at: 4)
        }
        for candidate in report.candidates { lines += block(candidate, report) + [""] }
        lines += conclusion(report)
        return (lines + report.notes.map { "note: \($0)" }).map { TerminalText.escaped($0, keepingLines: false) }
            .joined(separator: "\n")
    }

    /// The candidates come with the device's default first.
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
                        ? "At \(name(first.precision)), the default of \(device), its answers are WRONG: use --precision \(fastest.rawValue)"
                        : "At \(name(first.precision)), the default of \(device), the model does not run: use --precision \(fastest.rawValue)"
                )
            } else if !wrong.isEmpty {
                lines.append("At \(list(wrong)) the answers of \(device) are WRONG.")
            } else if !failed.isEmpty {
                lines.append("At \(list(failed)) the model does not run on \(device).")
            }
            let passed = report.candidates.filter(\.passed).map { name($0.precision) }
            lines.append(
                "The answers of \(device) are right at \(list(passed)). Fastest precision that passes: \(fastest.rawValue)"
            )
            return lines
        }
        guard !wrong.isEmpty else {
            return ["The model does not run on \(device): apus doctor --device \(device.lowercased())"]
        }
        if device == "CPU" {
            return [
                "The answers of CPU are WRONG at \(list(wrong)): do not use it so with this model.",
                "Use --precision f32, or --provider cpu, which are ONNX Runtime's own kernels.",
            ]
        }
        return [
            "The answers of \(device) are WRONG: do not use it with this model.",
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
                + ", \(milliseconds(candidate.millisecondsPerImage)) a picture "
                + String(format: "(%.2f of the reference's)", ratio),
            "  objects  \(candidate.matched) of \(report.objects) matched, \(candidate.lost) lost, \(candidate.added) added, "
                + "\(candidate.moved) moved, \(candidate.borderline) at the threshold",
        ]
        if candidate.matched > 0 {
            lines.append(
                String(
                    format: "  drift    scores by %.4f at most, %.4f on average; boxes overlap by %.3f at least",
                    candidate.largestScoreDrift, candidate.meanScoreDrift, candidate.leastOverlap))
        }
        for (name, output) in candidate.outputs.sorted(by: { $0.key < $1.key }) {
            lines.append(
                "  \(name)  off by \(number(output.largestDifference)) at most, \(number(output.meanDifference)) on "
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
        value.isFinite ? String(format: "%.2g", value) : "no number"
    }
}

/// What is being done, in a line on standard error that is overwritten; nothing where that is not a terminal.
struct StepProgress {
    private let isShown = isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"

    func show(_ step: String) { if isShown { Terminal.redraw("\(step) …") } }

    func clear() { if isShown { Terminal.redraw("") } }
}
