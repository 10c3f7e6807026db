import Apus
import ArgumentParser
import Foundation

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Time a model on a device: until it is ready, the first picture, and each new size.",
        discussion: """
            Pictures are made up, and answers are not looked at: `apus verify` does that. Run it twice to see what the \
            cache of compiled models saves.

            Examples:
              apus bench --device gpu
              apus bench --model detr.onnx --device gpu --shapes exact --sizes 640x480,1920x1080
            """)

    @OptionGroup var options: DetectorOptions

    @Option(help: ArgumentHelp("Sizes of the pictures, one after the other.", valueName: "sizes"))
    var sizes: ShapePolicy = .canvases(
        [
            (640, 480), (1280, 720), (800, 600), (1000, 1000), (1920, 1080), (480, 640), (1024, 768), (720, 1280),
            (1500, 1000), (1333, 800), (600, 800), (2000, 900),
        ].map { PixelSize(width: $0, height: $1) })

    @Option(help: ArgumentHelp("Runs of the first size after all others, for the median.", valueName: "n"))
    var runs = 10

    @Option(help: "text or json.")
    var format = ReportFormat.text

    func validate() throws {
        guard case .canvases = sizes else { throw ValidationError("--sizes is a list as 640x480,1920x1080.") }
        guard (1...100_000).contains(runs) else { throw ValidationError("--runs is from 1 to 100000.") }
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
        configuration.watchesAnswers = false
        let start = ContinuousClock.now
        let detector = try Detector(model: options.chosenModel(), configuration: configuration)
        let ready = ContinuousClock.now - start
        func run(_ picture: Image) throws -> Double {
            try detector.answer(picture, threshold: configuration.threshold).inference.milliseconds
        }
        let first = try pictures.map(run)
        let again = try pictures.map(run)
        let repeated = try (0..<runs).map { _ in try run(pictures[0]) }
        return BenchReport(
            detector, ready: ready, sizes: zip(sizes, first).map { ($0, $1) }, again: again, repeated: repeated)
    }
}

/// What `apus bench` prints. Times are of the inference alone.
private struct BenchReport: Encodable {
    struct Size: Encodable {
        var size: String
        var firstMs: Double
        /// To the median of the second runs of all sizes.
        var ratio: Double
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
    var largestRatio: Double

    init(_ detector: Detector, ready: Duration, sizes: [(PixelSize, Double)], again: [Double], repeated: [Double]) {
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
        firstMs = sizes[0].1
        medianMs = repeated.median
        firstToMedian = firstMs / medianMs
        let middle = again.median
        self.sizes = sizes.map { Size(size: $0.description, firstMs: $1, ratio: $1 / middle) }
        largestRatio = self.sizes.map(\.ratio).max() ?? 0
    }

    var text: String {
        var lines = [
            "model   \(model) on \(device)" + (precision.map { ", \($0)" } ?? ""),
            "shapes  " + (canvases.isEmpty ? "each picture's own" : canvases.joined(separator: ", ")),
        ]
        lines += compiled.map { "        \($0)" }
        lines.append(String(format: "ready   %.2f s after the start of loading", readySeconds))
        lines.append(
            String(format: "first   %.1f ms, %.2fx of the median %.1f ms", firstMs, firstToMedian, medianMs))
        lines.append("new sizes: the first run of each, and its ratio to the median second run")
        lines += sizes.map { size in
            "        " + size.size.padding(toLength: 11, withPad: " ", startingAt: 0)
                + String(format: "%9.1f ms  %5.2fx", size.firstMs, size.ratio)
        }
        return lines.joined(separator: "\n")
    }
}
