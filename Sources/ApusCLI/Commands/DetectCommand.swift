import Apus
import ArgumentParser
import CommandSupport
import Engine
import Foundation

struct DetectCommand: AsyncParsableCommand {
    enum Format: String, CaseIterable, ExpressibleByArgument {
        case text, json, jsonl
    }

    static let configuration = CommandConfiguration(
        commandName: "detect",
        abstract: "Detect objects in images.",
        discussion: """
            Reads JPEG, PNG and WebP. An image that fails does not stop the others. The exit code is 0 if all \
            succeeded, 1 if any failed, 64 if the options are invalid.

            Examples:
              apus detect street.jpg --output boxes.png
              apus detect photos/ 'more/*.png' --model detr.onnx --format jsonl > found.jsonl
              curl -s http://camera/snapshot.jpg | apus detect - --format json
            """)

    @Argument(
        help: "A file, a folder (searched recursively), a glob, an http(s) URL, or - for standard input.",
        completion: .file(extensions: ImageInput.extensions.sorted()))
    var images: [String]

    @OptionGroup var options: ModelOptions

    @OptionGroup var verification: VerificationOptions

    @Option(
        help: "text: a table; json: an array with one object per image; jsonl: one object per line, as results arrive.")
    var format = Format.text

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Write copies with boxes drawn: a .png or .jpg file, or a folder.", valueName: "path"),
        completion: .file())
    var output: String?

    @OptionGroup var limits: LimitOptions

    func validate() throws {
        guard !images.isEmpty else { throw ValidationError("Name an image.") }
        guard images.filter({ $0 == "-" }).count <= 1 else {
            throw ValidationError("Standard input can be read only once.")
        }
    }

    mutating func run() async throws {
        let entries = images.flatMap(ImageInput.expand)
        let inputs = entries.compactMap { try? $0.input.get() }
        let (detector, annotated) = try Terminal.reporting { () -> (Detector?, AnnotatedOutput?) in
            guard !inputs.isEmpty else { return (nil, nil) }
            // Before loading the model: a wrong path fails fast.
            let annotated = try output.map { try AnnotatedOutput(path: $0, inputs: inputs) }
            return (try options.detector(verification), annotated)
        }
        var job = DetectionJob(detector: detector, format: format, limits: try limits.limits, annotated: annotated)
        Terminal.exit(await job.run(entries) ? 0 : 1)
    }
}

/// Processes images and prints the results in order.
private struct DetectionJob {
    /// Nil if there is no image to process.
    let detector: Detector?
    let format: DetectCommand.Format
    let limits: Image.Limits
    var annotated: AnnotatedOutput?

    /// Returns whether every image succeeded.
    mutating func run(_ entries: [ImageInput.Found]) async -> Bool {
        var output = DetectionOutput(format: format, total: entries.count)
        let stages = DetectionStages(detector: detector, limits: limits, draw: annotated?.draw)
        let pipeline = Pipeline(entries, limits: PipelineLimits(batch: detector?.batchSize ?? 1), stages: stages)
        var rest = entries[...]
        do {
            for try await element in pipeline {
                rest.removeFirst()
                do {
                    try output.write(report(element.result.get(), of: element.input.input.get()))
                } catch {
                    output.write(error, of: element.input)
                }
            }
        } catch {
            // Not specific to one image, so reported once; the remaining images still get an entry in the output.
            for (index, entry) in rest.enumerated() { output.write(error, of: entry, reports: index == 0) }
        }
        if format == .text, let detector { Terminal.print(TextReport.footer(detector)) }
        return output.succeeded
    }

    /// Writes the annotated copy under the next name.
    private mutating func report(_ found: DetectionStages.Output, of input: ImageInput) throws -> ImageReport {
        guard let detector else { preconditionFailure("images need a detector") }
        var path: String?
        if let drawn = found.drawn { path = try annotated?.write(drawn, of: input) }
        return ImageReport(
            name: input.name, result: found.result, decode: found.decode, warning: found.warning, detector: detector,
            annotated: path)
    }
}

/// Reads, decodes, detects and draws.
private struct DetectionStages: PipelineStages {
    struct Decoded: Sendable {
        var image: Image
        var duration: Duration
    }

    struct Output: Sendable {
        var result: DetectionResult
        var decode: Duration
        var warning: String?
        /// The annotated copy, if requested.
        var drawn: AnnotatedOutput.Drawn?
    }

    let detector: Detector?
    let limits: Image.Limits
    let draw: (@Sendable (DetectionResult, Image) -> AnnotatedOutput.Drawn)?

    func prepare(_ entry: ImageInput.Found) async throws -> Decoded {
        let input = try entry.input.get()
        let bytes = try await input.bytes(limits: limits)
        let start = ContinuousClock.now
        let image = try Image(decoding: bytes, name: input.name, limits: limits)
        return Decoded(image: image, duration: ContinuousClock.now - start)
    }

    func run(_ batch: [Decoded], _ cancellation: RunCancellation) throws -> [DetectionResult] {
        guard let detector else { preconditionFailure("images need a detector") }
        return try detector.detect(batch.map(\.image), threshold: nil, cancellation: cancellation)
    }

    func finish(_ entry: ImageInput.Found, _ decoded: Decoded, _ result: DetectionResult) -> Output {
        Output(
            result: result, decode: decoded.duration, warning: decoded.image.warning,
            drawn: draw?(result, decoded.image))
    }

    func endsPipeline(_ error: any Error) -> Bool { ApusError.concernsAllImages(error) }
}
