import Apus
import Foundation
import TestSupport
import Testing

/// The model of `LetterboxFamily`, as a program without access to Apus's own protocols runs it.
@Suite(.enabled(if: TestRuntime.isWanted)) struct CustomFamilyTests {
    private func family(outputs: [String] = ["raw"], sizes: String? = "orig_target_sizes") throws -> CustomFamily {
        CustomFamily(
            name: "mine", resize: .letterbox(to: PixelSize(width: 64, height: 64), anchor: .center),
            format: try PixelFormat(channels: .bgr, isUnitScaled: false, fill: .byte(114)), originalSizes: sizes,
            outputs: outputs, labels: LabelMap(names: [0: "blue", 1: "wide"])
        ) { outputs, placements, threshold in
            try outputs.withFloats("raw", rank: 3) { values, shape in
                let coding = BoxCoding(.corners, .canvasPixels)
                return placements.enumerated().map { image, placement in
                    let found = (0..<shape[1]).flatMap { row -> [Detection] in
                        let start = (image * shape[1] + row) * shape[2]
                        let box = coding.box(
                            values[start], values[start + 1], values[start + 2], values[start + 3], in: placement)
                        return (0..<2).compactMap { label in
                            let score = Scoring.sigmoid(values[start + 4 + label])
                            return score > threshold
                                ? Detection(score: score, label: label, category: nil, box: box) : nil
                        }
                    }
                    return NonMaxSuppression(maxIoU: 0.5).kept(of: found)
                }
            }
        }
    }

    private func configuration(_ family: CustomFamily) -> Detector.Configuration {
        var configuration = Detector.Configuration(provider: .cpu, threshold: 0.5)
        configuration.customFamily = family
        return configuration
    }

    @Test func itFindsWhatABuiltInFamilyOfTheSameKindFinds() throws {
        let model = Model.bytes(try LetterboxModel.bytes())
        let custom = try Detector(model: model, configuration: configuration(family()))
        var builtIn = Detector.Configuration(provider: .cpu, threshold: 0.5)
        builtIn.families = [LetterboxFamily.self]
        let reference = try Detector(model: model, configuration: builtIn)
        var blue = [UInt8](repeating: 0, count: 3 * 200 * 80)
        for pixel in 0..<(200 * 80) { blue[3 * pixel + 2] = 255 }
        let image = try Image(width: 200, height: 80, rgb: blue)
        let found = try custom.detect(image).detections
        #expect(!found.isEmpty)
        #expect(found == (try reference.detect(image).detections))
        #expect(custom.family == "mine")
        #expect(custom.familyEvidence == "as the program defines it")
    }

    @Test func aModelThatDoesNotFitIsRefusedWithItsInputsAndOutputs() throws {
        let model = Model.bytes(try LetterboxModel.bytes())
        for (family, cause) in [
            (try family(outputs: ["boxes"]), "it has no output boxes"),
            (try family(sizes: "sizes"), "it has no input sizes of i64"),
            (try family(sizes: nil), "the family does not define its input orig_target_sizes i64 [1, 2]"),
        ] {
            let error = #expect(throws: ApusError.self) {
                try Detector(model: model, configuration: configuration(family))
            }
            #expect(error?.code == .notADetector)
            #expect(error?.cause == cause)
            #expect(error?.remedy?.contains("raw f32 [1, 3, 6]") == true)
        }
    }

    @Test func aDecoderThatForgetsAnImageIsAnError() throws {
        var family = try family()
        family.decoder = { _, _, _ in [] }
        let detector = try Detector(
            model: .bytes(LetterboxModel.bytes()), configuration: configuration(family))
        let image = try Image(width: 8, height: 8, rgb: [UInt8](repeating: 0, count: 192))
        let error = #expect(throws: ApusError.self) { try detector.detect(image) }
        #expect(error?.cause == "the decoder returned 0 lists of detections for 1 images")
    }

    @Test func twoFamiliesForOneModelAreAnError() throws {
        var both = configuration(try family())
        both.family = .detr
        let error = #expect(throws: ApusError.self) { try Detector(configuration: both) }
        #expect(error?.code == .option)
    }

    @Test(arguments: [[Float](), [1, 2], [1, 2, .nan]]) func aMeanHasThreeNumbers(mean: [Float]) {
        let error = #expect(throws: ApusError.self) { try PixelFormat(mean: mean) }
        #expect(error?.code == .option)
    }

    @Test func noDeviationIsZero() {
        #expect(throws: ApusError.self) { try PixelFormat(std: [1, 0, 1]) }
    }
}
