import Apus
import Imaging
import TestSupport
import Testing

/// A second family works through the protocol alone.
@Suite struct FamilyProtocolTests {
    private func configuration() -> Detector.Configuration {
        var configuration = Detector.Configuration(device: .cpu, threshold: 0.6)
        configuration.families = ModelFamilies.all + [LetterboxFamily.self]
        return configuration
    }

    private func image(_ width: Int, _ height: Int, rgb: [UInt8]) throws -> Image {
        try Image(width: width, height: height, rgb: (0..<(width * height)).flatMap { _ in rgb })
    }

    @Test(.enabled(if: TestRuntime.isWanted)) func boxesComeBackToTheImage() throws {
        let detector = try Detector(model: .bytes(LetterboxModel.bytes()), configuration: configuration())
        #expect(detector.family == "letterbox" && detector.familyEvidence == "an output named raw")
        let found = try detector.detect(image(200, 100, rgb: [0, 0, 255])).detections
        // On the canvas of 64 x 64 the image is 64 x 32, 16 from the top. Of two boxes that overlap the better one stays.
        #expect(found.map(\.category) == ["wide", "blue"])
        let blue = try #require(found.last)
        #expect(blue.box == Box(xMin: 50, yMin: 25, xMax: 150, yMax: 75))
        #expect(found.first?.box == Box(xMin: 0, yMin: 0, xMax: 200, yMax: 100))
        // Half of the canvas is blue, the other half gray: (255 / 2) / 50 + 5.
        #expect(abs(blue.score - Scoring.sigmoid(7.55)) < 1e-4)
    }

    @Test(.enabled(if: TestRuntime.isWanted)) func channelsAndSidesAreInTheirOrder() throws {
        let detector = try Detector(model: .bytes(LetterboxModel.bytes()), configuration: configuration())
        // Red takes 2.55 off instead; a high image 10 from the second class.
        let red = try detector.detect(image(100, 200, rgb: [255, 0, 0])).detections
        #expect(red.map(\.category) == ["blue"])
        #expect(abs(try #require(red.first).score - Scoring.sigmoid(5 - 2.55)) < 1e-4)
    }

    @Test func withoutItsLineTheFamilyIsUnknown() {
        let error = #expect(throws: ApusError.self) { try Preprocessor(model: .bytes(LetterboxModel.bytes())) }
        #expect(error?.code == .notADetector)
    }
}
