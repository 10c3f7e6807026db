import Apus
import Engine
import Foundation
import Remedies
import Testing

@Suite struct DETRDecodingTests {
    private func detections(
        logits: [Float], boxes: [Float], shape: [Int], sizes: [(width: Int, height: Int)], threshold: Float
    ) throws -> [[Detection]] {
        let classes = shape[2]
        func value(_ name: String, _ last: Int) -> ValueInfo {
            ValueInfo(name: name, elementType: .float32, dimensions: [.dynamic(nil), .dynamic(nil), .fixed(last)])
        }
        let image = ValueInfo(
            name: "x", elementType: .float32, dimensions: [.dynamic(nil), .fixed(3), .dynamic(nil), .dynamic(nil)])
        let family = try ModelFamilies.recognize(
            ModelDescription(
                ModelSignature(inputs: [image], outputs: [value("logits", classes), value("boxes", 4)], metadata: [:])),
            chosen: .detr
        ).family
        let outputs = [
            "logits": try Tensor(shape: shape, scalars: logits),
            "boxes": try Tensor(shape: [shape[0], shape[1], 4], scalars: boxes),
        ]
        let placements = sizes.map {
            Placement(
                original: PixelSize(width: $0.width, height: $0.height), filling: PixelSize(width: 32, height: 64))
        }
        return try family.detections(
            in: ModelOutputs(outputs), placements: placements, options: DecodingOptions(threshold: threshold))
    }

    @Test func softmaxCountsNoObjectAndDropsIt() throws {
        // Class 1 of 2 and no-object: e^2 / (e^0 + e^2 + e^1).
        let found = try detections(
            logits: [0, 2, 1, 0, 0, 9], boxes: [0.5, 0.5, 0.5, 1, 0, 0, 0, 0], shape: [1, 2, 3], sizes: [(200, 100)],
            threshold: 0.5)
        #expect(found.count == 1 && found[0].count == 1)
        let first = try #require(found[0].first)
        #expect(first.label == 1)
        #expect(abs(first.score - exp(2) / (1 + exp(2) + exp(1))) < 1e-6)
        #expect(first.box == Box(xMin: 50, yMin: 0, xMax: 150, yMax: 100))
    }

    @Test func eachPictureGetsItsOwnRowsAndSize() throws {
        let found = try detections(
            logits: [9, 0, 0, 0, 9, 0], boxes: [0.5, 0.5, 1, 1, 0.25, 0.25, 0.5, 0.5], shape: [2, 1, 3],
            sizes: [(10, 20), (400, 800)], threshold: 0.9)
        #expect(found[0].map(\.label) == [0])
        #expect(found[0][0].box == Box(xMin: 0, yMin: 0, xMax: 10, yMax: 20))
        #expect(found[1].map(\.label) == [1])
        #expect(found[1][0].box == Box(xMin: 0, yMin: 0, xMax: 200, yMax: 400))
    }

    @Test func theHighestScoreComesFirst() throws {
        let found = try detections(
            logits: [3, 0, 0, 5, 0, 0, 4, 0, 0], boxes: [Float](repeating: 0.5, count: 12), shape: [1, 3, 3],
            sizes: [(1, 1)], threshold: 0)
        #expect(found[0].map(\.score) == found[0].map(\.score).sorted(by: >))
        #expect(found[0].count == 3)
    }

    @Test func hugeLogitsDoNotOverflow() throws {
        let found = try detections(
            logits: [30_000, -30_000, 0], boxes: [0, 0, 0, 0], shape: [1, 1, 3], sizes: [(1, 1)], threshold: 0.5)
        #expect(found[0].map(\.score) == [1])
    }

    @Test(arguments: [Float.nan, .infinity])
    func valuesThatAreNoNumbersAreAnErrorAndNeverAnEmptyAnswer(value: Float) {
        for (logits, boxes) in [([value, 0, 0], [0, 0, 0, 0]), ([0, 0, 0], [0, value, 0, 0])] as [([Float], [Float])] {
            let error = #expect(throws: ApusError.self) {
                try detections(logits: logits, boxes: boxes, shape: [1, 1, 3], sizes: [(1, 1)], threshold: 0.5)
            }
            #expect(error?.code == .inference)
            #expect(error?.advice?.text(for: .command).contains("--precision f32") == true)
        }
    }
}
