public import Apus
internal import ApusWorkflows
public import ArgumentParser
import CommandSupport
import Foundation

extension ShapePolicy: ExpressibleByArgument {
    /// Accepts the same syntax as `ShapePolicy.init(_:)`.
    public init?(argument: String) { self.init(argument) }
}

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure a model on a device: startup latency, first image, and each new size.",
        discussion: """
            Images are synthetic and results are not checked; use `apus verify` for that. Run it twice to see what the \
            cache of compiled models saves.

            Examples:
              apus bench --device gpu
              apus bench --model detr.onnx --device gpu --shapes exact --sizes 640x480,1920x1080
            """)

    @OptionGroup var options: ModelOptions

    @OptionGroup var verification: VerificationOptions

    @Option(help: ArgumentHelp("Image sizes, in order.", valueName: "sizes"))
    var sizes: ShapePolicy = .canvases(
        [
            (640, 480), (1280, 720), (800, 600), (1000, 1000), (1920, 1080), (480, 640), (1024, 768), (720, 1280),
            (1500, 1000), (1333, 800), (600, 800), (2000, 900),
        ].map { PixelSize(width: $0, height: $1) })

    @Option(help: ArgumentHelp("Runs of the first size, for the median, before the others.", valueName: "n"))
    var runs = 10

    @Option(help: "The output format.")
    var format = ReportFormat.text

    func validate() throws {
        guard case .canvases = sizes else { throw ValidationError("--sizes must be a list such as 640x480,1920x1080.") }
        guard (1...100_000).contains(runs) else { throw ValidationError("--runs must be from 1 to 100000.") }
    }

    mutating func run() async throws {
        let report = try Terminal.reporting { try measure() }
        switch format {
        case .text: Terminal.print(report.text)
        case .json: Terminal.print(try ReportJSON.text(report))
        }
        Terminal.exit(0)
    }

    private func measure() throws -> BenchReport {
        guard case .canvases(let sizes) = sizes else { preconditionFailure("validated above") }
        let pictures = try sizes.map { size in
            try Image(
                width: size.width, height: size.height,
                rgb: (0..<(3 * size.width * size.height)).map { UInt8(truncatingIfNeeded: $0 / 7 &* 31) })
        }
        var configuration = try options.configuration()
        configuration.requiresVerified = verification.requireVerified
        configuration.watchesAnswers = false
        let start = ContinuousClock.now
        let detector = try Detector(model: options.chosenModel(), configuration: configuration)
        let ready = ContinuousClock.now - start
        func run(_ picture: Image) throws -> Double {
            try detector.answer(picture, threshold: configuration.threshold).inference.milliseconds
        }
        let first = try run(pictures[0])
        let repeated = try (0..<runs).map { _ in try run(pictures[0]) }
        let each = try zip(sizes, pictures).map { size, picture in
            let new = try run(picture)
            // Once only: on a device whose runs get ever slower (a simulated one), more runs would look like stalls.
            return BenchReport.Size(size, new: new, again: try run(picture))
        }
        return BenchReport(detector, ready: ready, first: first, repeated: repeated, sizes: each)
    }
}

/// The output of `apus bench`. Times cover inference only.
private struct BenchReport: Encodable {
    struct Size: Encodable {
        var size: String
        /// The first run of this size; for the first size, the first run after the repeated ones.
        var newMs: Double
        /// The next run of the same size.
        var againMs: Double
        var ratio: Double

        init(_ size: PixelSize, new: Double, again: Double) {
            self.size = size.description
            newMs = new
            againMs = again
            ratio = new / max(again, 0.001)
        }
    }

    var model: String
    var device: String
    var precision: String?
    var canvases: [String]
    var compiled: [String]
    var readySeconds: Double
    var firstMs: Double
    var medianMs: Double
    var firstToMedian: Double
    var sizes: [Size]
    /// Maximum ratio of a new size to the same size again.
    var largestRatio: Double
    /// Maximum ratio of a new size to the median of all new ones.
    var largestToMedian: Double

    init(_ detector: Detector, ready: Duration, first: Double, repeated: [Double], sizes: [Size]) {
        model = detector.modelName
        device = detector.execution.device
        precision = detector.execution.precision?.rawValue
        canvases = detector.execution.canvases.map(\.description)
        compiled = detector.compiledShapes.map { shape in
            "\(shape.canvas.map { "\($0)" } ?? "all sizes"): "
                + (shape.origin == .cache ? "read from the cache" : "compiled")
                + String(format: " in %.1f s", shape.duration.milliseconds / 1000)
        }
        readySeconds = ready.milliseconds / 1000
        firstMs = first
        medianMs = repeated.median
        firstToMedian = firstMs / medianMs
        self.sizes = sizes
        largestRatio = sizes.map(\.ratio).max() ?? 0
        largestToMedian = (sizes.map(\.newMs).max() ?? 0) / max(sizes.map(\.newMs).median, 0.001)
    }

    var text: String {
        var lines = [
            "model   \(model) on \(device)" + (precision.map { ", \($0)" } ?? ""),
            "shapes  " + (canvases.isEmpty ? "each image's own" : canvases.joined(separator: ", ")),
        ]
        lines += compiled.map { "        \($0)" }
        lines.append(String(format: "ready   %.2f s after loading started", readySeconds))
        lines.append(
            String(format: "first   %.1f ms, %.2fx of the median %.1f ms", firstMs, firstToMedian, medianMs))
        lines.append("sizes   new, then again")
        lines += sizes.map { size in
            "        " + size.size.padding(toLength: 11, withPad: " ", startingAt: 0)
                + String(format: "%9.1f ms %9.1f ms  %6.2fx", size.newMs, size.againMs, size.ratio)
        }
        lines.append(
            String(
                format: "worst   new size: %.2fx of the same size again, %.2fx of the median new size",
                largestRatio, largestToMedian))
        return lines.joined(separator: "\n")
    }
}
