import Engine
import Foundation
import TestSupport
import Testing

@testable import Apus

@Suite(.timeLimit(.minutes(10))) struct DetectionsTests {
    /// An image of this width, or none.
    struct Sized: ImageSource, Equatable {
        struct Failure: Error {}

        var width: Int

        func image(limits: Image.Limits) async throws -> Image {
            guard width > 0 else { throw Failure() }
            return try Image(width: width, height: 1, rgb: [UInt8](repeating: 0, count: 3 * width))
        }
    }

    private static func detections<Source: ImageSource>(
        _ sources: [Source], batch: Int = 1, inFlight: Int? = nil,
        _ detect: @escaping @Sendable ([Image], RunCancellation) throws -> [DetectionResult] = { images, _ in
            images.map(DetectionsTests.result)
        }
    ) -> Detections<Pulled<[Source]>> {
        Detections(
            sources: Pulled(base: sources), limits: PipelineLimits(batch: batch, inFlight: inFlight),
            stages: DetectionStages(limits: Image.Limits(bytes: 1_000_000, pixels: 500), detect: detect))
    }

    private static func result(_ image: Image) -> DetectionResult {
        DetectionResult(
            detections: [], width: image.width, height: image.height,
            timings: Timings(preprocess: .zero, inference: .zero, postprocess: .zero))
    }

    @Test func aResultComesWithItsSource() async throws {
        let sources = [3, 1, 2].map(Sized.init)
        var found: [Sized] = []
        for try await each in Self.detections(sources, batch: 2) {
            found.append(each.source)
            #expect(try each.result.get().width == each.source.width)
        }
        #expect(found == sources)
    }

    @Test func anImageThatCannotBeReadFailsAlone() async throws {
        var codes: [ApusError.Code?] = []
        for try await each in Self.detections([1, 0, 2].map(Sized.init)) { codes.append(each.result.failure?.code) }
        #expect(codes == [nil, .image, nil])
        // Every error is an ApusError, which keeps what a source threw.
        for try await each in Self.detections([Sized(width: 0)]) {
            #expect(each.result.failure?.underlying is Sized.Failure)
        }
    }

    @Test func filesAndDataAreSourcesWithinTheLimits() async throws {
        let path = Fixtures.url("images/baseline.jpg")
        let data = try Data(contentsOf: path)
        let files = [path, URL(fileURLWithPath: "/nonexistent.jpg"), try #require(URL(string: "https://a.b/c.jpg"))]
        var codes: [ApusError.Code?] = []
        for try await each in Self.detections(files) { codes.append(each.result.failure?.code) }
        for try await each in Self.detections([data, Data("no image".utf8)]) { codes.append(each.result.failure?.code) }
        #expect(codes == [.tooLarge, .image, .image, .tooLarge, .image])
        let image = try data.image(limits: Image.Limits())
        for try await each in Self.detections([image]) { #expect(try each.result.get().width == image.width) }
    }

    @Test func aDamagedFileThatCanBeReadHasAWarning() async throws {
        var bytes = try Fixtures.bytes("images/baseline.jpg")
        bytes.replaceSubrange((bytes.count / 2)..<(bytes.count / 2 + 2), with: [0xFF, 0xD0])
        let image = try Image(decoding: bytes)
        var warnings: [String?] = []
        for try await each in Self.detections([image, try await Sized(width: 1).image(limits: Image.Limits())]) {
            warnings.append(each.warning)
        }
        #expect(warnings == [image.warning, nil] && image.warning != nil)
    }

    @Test(arguments: [(ApusError.Code.inference, false), (.image, false), (.deviceFault, true), (.option, true)])
    func onlyAnErrorOfAllImagesEndsTheSequence(code: ApusError.Code, ends: Bool) async throws {
        let detections = Self.detections((1...4).map(Sized.init)) { images, _ in
            if images[0].width == 2 { throw ApusError(code, doing: "detect objects", cause: "of the test") }
            return images.map(Self.result)
        }
        var codes: [ApusError.Code?] = []
        do {
            for try await each in detections { codes.append(each.result.failure?.code) }
            #expect(!ends)
        } catch let error as ApusError {
            #expect(ends && error.code == code)
        }
        #expect(codes == (ends ? [nil] : [nil, code, nil, nil]))
    }

    @Test func aCancelledTaskIsAnErrorOfTheLibrary() async throws {
        let (running, gate) = (Gate(), Gate())
        let task = Task {
            let detections = Self.detections([Sized(width: 1)]) { images, _ in
                running.open()
                gate.wait()
                return images.map(Self.result)
            }
            for try await _ in detections {}
        }
        try await eventually { running.isOpen }
        task.cancel()
        let error = await #expect(throws: ApusError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        gate.open()
    }

    @Test func nothingInFlightIsAnError() async throws {
        var iterator = Self.detections([Sized(width: 1)], inFlight: 0).makeAsyncIterator()
        let error = await #expect(throws: ApusError.self) { _ = try await iterator.next(isolation: nil) }
        #expect(error?.code == .option && error?.remedy != nil)
    }

    /// With the demo model: results are those of one image after another.
    @Test(.enabled(if: TestRuntime.isWanted), arguments: [1, 2])
    func theDemoModelFindsWhatItFindsOneByOne(batchSize: Int) async throws {
        let folder = Fixtures.projectFolder + "/Examples/pictures/"
        let names = ["farm.jpg", "safari.jpg", "nothing.jpg", "street.jpg", "farm.jpg", "street.jpg"]
        let files = names.map { URL(fileURLWithPath: folder + $0) }
        let detector = try await Detector.load(
            configuration: .init(device: .cpu, precision: .f32, batchSize: batchSize))
        var count = 0
        for try await found in detector.detections(in: files, threshold: 0.8) {
            #expect(found.source == files[count])
            count += 1
            guard found.source.lastPathComponent != "nothing.jpg" else {
                #expect(found.result.failure?.code == .image)
                continue
            }
            let expected = try await detector.detect(Image(contentsOf: found.source), threshold: 0.8).detections
            let detections = try found.result.get().detections
            #expect(detections.map(\.category) == expected.map(\.category) && !detections.isEmpty)
            for (one, other) in zip(detections, expected) { #expect(abs(one.score - other.score) < 0.001) }
            if batchSize == 1 { #expect(detections == expected) }
        }
        #expect(count == files.count)
    }
}

extension Result {
    fileprivate var failure: Failure? { if case .failure(let error) = self { error } else { nil } }
}
