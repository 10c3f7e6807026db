import Apus
import Foundation
import Remedies
import TestSupport
import Testing

@Suite struct ShapePolicyTests {
    @Test func policiesAreReadAndWritten() {
        for text in ["auto", "exact", "padded", "1344x800", "1344x800,800x1344"] {
            #expect(ShapePolicy(text)?.description == text)
        }
        #expect(ShapePolicy("Padded") == .padded)
        for wrong in ["", "wide", "800", "800x", "0x800", "800x99999", "800x800,", "1x1x1"] {
            #expect(ShapePolicy(wrong) == nil, "\(wrong)")
        }
    }

    @Test(.enabled(if: TestRuntime.isWanted)) func paddedAnswersAreThoseOfExactSizes() throws {
        let exact = try Detector(configuration: .init(device: .cpu, shapes: .exact))
        let padded = try Detector(configuration: .init(device: .cpu, shapes: .padded))
        #expect(exact.execution.canvases.isEmpty)
        #expect(
            padded.execution.canvases.map(\.description) == ["352x256", "256x352", "448x256", "256x448"])
        for (name, image) in try SamplePictures.all() {
            let expected = try exact.detect(image, threshold: 0.7).detections
            let found = try padded.detect(image, threshold: 0.7).detections
            let match = DetectionMatch(reference: expected, candidate: found)
            #expect(match.missed.isEmpty && match.spurious.isEmpty && !match.pairs.isEmpty, "\(name)")
            // What is padded has an effect of its own, in PyTorch too (DETRExportTests compares with its padded batches);
            // on this model more than on others, as it was trained without.
            #expect(match.pairs.allSatisfy { $0.iou > 0.75 && abs($0.reference.score - $0.candidate.score) < 0.05 })
        }
    }

    @Test(.enabled(if: TestRuntime.isWanted)) func aPictureGoesToTheSmallestCanvasThatHoldsIt() throws {
        var configuration = Detector.Configuration(
            device: .cpu,
            shapes: .canvases(
                [
                    PixelSize(width: 448, height: 256), PixelSize(width: 256, height: 448),
                    PixelSize(width: 64, height: 64),
                ]))
        configuration.preparation = .whenNeeded
        let detector = try Detector(configuration: configuration)
        // The largest of the wide ones is there at once; others come when a picture needs them.
        #expect(detector.compiledShapes.map { $0.canvas?.description } == ["448x256"])
        let wide = try #require(try SamplePictures.all().first { $0.name == "farm.jpg" })
        _ = try detector.detect(wide.image)
        #expect(detector.compiledShapes.count == 1)
        let high = try #require(try SamplePictures.all().first { $0.name == "safari.jpg" })
        #expect(try !detector.detect(high.image).detections.isEmpty)
        #expect(Set(detector.compiledShapes.map { $0.canvas?.description }) == ["448x256", "256x448"])
    }

    @Test(.enabled(if: TestRuntime.isWanted)) func theLargestServesUntilTheRestIsCompiledInTheBackground() async throws
    {
        var configuration = Detector.Configuration(device: .cpu, threshold: 0.7, shapes: .padded)
        configuration.preparation = .background
        let detector = try Detector(configuration: configuration)
        let largest: Set = ["448x256", "256x448"]
        let first = Set(detector.compiledShapes.compactMap { $0.canvas?.description })
        #expect(first.isSuperset(of: largest))
        // Pictures of every kind are answered at once, and as with all canvases but for what padding does.
        let prepared = try Detector(configuration: .init(device: .cpu, threshold: 0.7, shapes: .padded))
        for (name, image) in try SamplePictures.all() {
            let (expected, found) = (try await prepared.detect(image), try await detector.detect(image))
            let match = DetectionMatch(reference: expected.detections, candidate: found.detections)
            #expect(match.missed.isEmpty && match.spurious.isEmpty, "\(name)")
        }
        for _ in 0..<12_000 where detector.compiledShapes.count < detector.execution.canvases.count {
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(detector.compiledShapes.count == detector.execution.canvases.count)
        #expect(detector.compiledShapes.allSatisfy { $0.origin == .compiled })
        for (name, image) in try SamplePictures.all() {
            let (expected, found) = (try await prepared.detect(image), try await detector.detect(image))
            #expect(expected.detections.map(\.box) == found.detections.map(\.box), "\(name)")
        }
    }

    @Test(.enabled(if: TestRuntime.isWanted)) func aModelThatIsReplacedIsNotMixedWithItsSuccessor() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("model.onnx")
        try Data(Model.demoBytes).write(to: URL(fileURLWithPath: path))
        var configuration = Detector.Configuration(
            device: .cpu,
            shapes: .canvases([PixelSize(width: 448, height: 256), PixelSize(width: 256, height: 448)]))
        configuration.preparation = .whenNeeded
        let detector = try Detector(model: .file(path), configuration: configuration)
        try FileManager.default.removeItem(atPath: path)
        try Data(Model.demoBytes).write(to: URL(fileURLWithPath: path))
        let wide = try #require(try SamplePictures.all().first { $0.name == "farm.jpg" })
        _ = try detector.detect(wide.image)
        let high = try #require(try SamplePictures.all().first { $0.name == "safari.jpg" })
        let error = #expect(throws: ApusError.self) { try detector.detect(high.image) }
        #expect(error?.code == .model)
        #expect(error?.cause == "\(path) was replaced while it was in use")
    }

    @Test(.enabled(if: TestRuntime.isWanted)) func picturesOfSeveralSizesShareTheRunsOfACanvas() throws {
        let single = try Detector(configuration: .init(device: .cpu, threshold: 0.7, shapes: .padded))
        let batched = try Detector(configuration: .init(device: .cpu, threshold: 0.7, batchSize: 2, shapes: .padded))
        let images = try SamplePictures.all().map(\.image)
        let expected = try images.map { try single.detect($0).detections }
        let found = try batched.detect(images)
        for (one, other) in zip(expected, found) {
            let match = DetectionMatch(reference: one, candidate: other.detections)
            #expect(match.missed.isEmpty && match.spurious.isEmpty)
        }
    }

    @Test(.enabled(if: TestRuntime.isWanted)) func aModelThatKnowsNoPaddingIsNotPadded() throws {
        let model = Model.file(Fixtures.path("models/detector_f32.onnx"))
        let error = #expect(throws: ApusError.self) {
            try Detector(model: model, configuration: .init(device: .cpu, shapes: .padded))
        }
        #expect(error?.code == .option)
        #expect(error?.cause == "the model has no input that marks padding")
        #expect(error?.advice?.text(for: .command).contains("apus export --padding") == true)
    }
}
