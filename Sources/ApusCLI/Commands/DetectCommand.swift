import Apus
import ArgumentParser
import CommandSupport
import Foundation

struct DetectCommand: AsyncParsableCommand {
    enum Format: String, CaseIterable, ExpressibleByArgument {
        case text, json, jsonl
    }

    static let configuration = CommandConfiguration(
        commandName: "detect",
        abstract: "Find objects in pictures.",
        discussion: """
            Reads JPEG, PNG and WebP. One picture that fails does not stop the others; the exit code is 0 if all \
            succeeded, 1 if something failed, 64 if the options are wrong.

            Examples:
              apus detect street.jpg --output boxes.png
              apus detect photos/ 'more/*.png' --model detr.onnx --format jsonl > found.jsonl
              curl -s http://camera/snapshot.jpg | apus detect - --format json
            """)

    @Argument(
        help: "A file, a folder (with all below it), a glob, an http(s) URL, or - for standard input.",
        completion: .file(extensions: ImageInput.extensions.sorted()))
    var images: [String]

    @OptionGroup var options: DetectorOptions

    @OptionGroup var verification: VerificationOptions

    @Option(help: "text is a table; json is a list with an object a picture; jsonl is one object a line, as they come.")
    var format = Format.text

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Write the pictures with boxes drawn: a .png or .jpg file, or a folder.", valueName: "path"),
        completion: .file())
    var output: String?

    @OptionGroup var limits: LimitOptions

    func validate() throws {
        guard !images.isEmpty else { throw ValidationError("Name a picture.") }
        guard images.filter({ $0 == "-" }).count <= 1 else { throw ValidationError("Standard input can be read once.") }
    }

    mutating func run() async throws {
        let entries = images.flatMap(ImageInput.expand)
        let inputs = entries.compactMap { try? $0.input.get() }
        let (detector, annotated) = try Terminal.reporting { () -> (Detector?, AnnotatedOutput?) in
            guard !inputs.isEmpty else { return (nil, nil) }
            // Before the model, which takes longer to load than a wrong path to find.
            let annotated = try output.map { try AnnotatedOutput(path: $0, inputs: inputs) }
            return (try options.detector(verification), annotated)
        }
        var job = DetectionJob(detector: detector, format: format, limits: limits.limits, annotated: annotated)
        Terminal.exit(await job.run(entries) ? 0 : 1)
    }
}

/// Works through pictures and prints what is found, in order.
private struct DetectionJob {
    /// Nil if there is no picture to work on.
    let detector: Detector?
    let format: DetectCommand.Format
    let limits: Image.Limits
    var annotated: AnnotatedOutput?

    /// Returns whether every picture succeeded.
    mutating func run(_ entries: [ImageInput.Found]) async -> Bool {
        var succeeded = true
        var progress = ProgressBar(total: entries.count)
        progress.draw()
        for (index, entry) in entries.enumerated() {
            var text: String
            do {
                let report = try await report(entry.input.get())
                text = try render(report)
                if let warning = report.warning {
                    progress.clear()
                    Terminal.warn("\(report.image) is damaged, but could be read (\(warning))")
                }
            } catch {
                succeeded = false
                let failure =
                    error as? ApusError ?? ApusError(.inference, doing: "work on \(entry.name)", cause: "\(error)")
                text = render(failure, of: entry)
                progress.clear()
                Terminal.report(failure)
            }
            if format == .json {
                text = (index == 0 ? "[\n" : "") + text + (index == entries.count - 1 ? "\n]\n" : ",\n")
            }
            progress.clear()
            Terminal.write(text, to: .standardOutput)
            progress.advance()
        }
        if format == .text, let detector { Terminal.print(TextReport.footer(detector)) }
        return succeeded
    }

    private mutating func report(_ input: ImageInput) async throws -> ImageReport {
        guard let detector else { preconditionFailure("pictures are worked on with a detector") }
        let bytes = try await input.bytes(limits: limits)
        let start = ContinuousClock.now
        let image = try Image(decoding: bytes, name: input.name, limits: limits)
        let decode = ContinuousClock.now - start
        let result = try await detector.detect(image)
        return ImageReport(
            name: input.name, image: image, result: result, decode: decode, detector: detector,
            annotated: try annotated?.write(result, on: image, of: input))
    }

    private func render(_ report: ImageReport) throws -> String {
        switch format {
        case .text: TextReport.table(report) + "\n"
        case .json: try encoded(report)
        case .jsonl: try encoded(report) + "\n"
        }
    }

    private func render(_ failure: ApusError, of entry: ImageInput.Found) -> String {
        let json = try? encoded(ImageFailure(name: entry.name, error: failure))
        switch format {
        case .text: return ""
        case .json: return json ?? "null"
        case .jsonl: return json.map { $0 + "\n" } ?? ""
        }
    }

    private func encoded(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if format == .json { encoder.outputFormatting.insert(.prettyPrinted) }
        return TerminalText.json(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}
