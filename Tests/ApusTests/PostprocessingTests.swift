import Apus
import Foundation
import Testing

@Suite struct PostprocessingTests {
    private func detection(_ score: Float, _ x: Float, _ y: Float, _ side: Float, label: Int = 0) -> Detection {
        Detection(
            score: score, label: label, category: nil,
            box: Box(xMin: x, yMin: y, xMax: x + side, yMax: y + side))
    }

    // MARK: Scores

    @Test func softmaxAgreesWithDoublePrecision() {
        for row in [[0.3, -2, 5, 1], [30, 29.5, 28], [-80, -81, -79], [0, 0]] as [[Float]] {
            let found = Scoring.softmaxDroppingLast(row)
            let exact = row.map { exp(Double($0) - Double(row.max() ?? 0)) }
            let best = exact.dropLast().enumerated().max { $0.element < $1.element }
            #expect(found.label == best?.offset)
            #expect(abs(Double(found.score) - (best?.element ?? 0) / exact.reduce(0, +)) < 1e-6)
        }
    }

    @Test func sigmoidNeitherOverflowsNorVanishes() {
        for logit in stride(from: Float(-200), through: 200, by: 7) {
            let exact = 1 / (1 + exp(-Double(logit)))
            #expect(abs(Double(Scoring.sigmoid(logit)) - exact) <= exact * 1e-6 + 1e-40)
        }
        #expect(abs(Scoring.logit(Scoring.sigmoid(1.25)) - 1.25) < 1e-5)
    }

    @Test func theBestComeFirstAndEqualsByIndex() {
        let scores: [Float] = [0.1, 0.9, 0.5, 0.9, 0.2, 0.7]
        #expect(TopK.indices(of: scores, count: 4, above: 0) == [1, 3, 5, 2])
        #expect(TopK.indices(of: scores, count: 10, above: 0.5) == [1, 3, 5])
        #expect(TopK.indices(of: scores, count: 0, above: 0) == [])
    }

    // MARK: Suppression

    @Test func ofOverlappingBoxesTheBestStays() {
        let found = [
            detection(0.5, 0, 0, 10), detection(0.9, 1, 1, 10), detection(0.8, 100, 0, 10),
            detection(0.7, 0, 0, 10, label: 1),
        ]
        #expect(NonMaxSuppression(maxIoU: 0.5).kept(of: found).map(\.score) == [0.9, 0.8, 0.7])
        #expect(NonMaxSuppression(maxIoU: 0.5, isPerClass: false).kept(of: found).map(\.score) == [0.9, 0.8])
        #expect(NonMaxSuppression(maxIoU: 0.5, maxDetections: 1).kept(of: found).map(\.score) == [0.9])
    }

    /// Dropped is what overlaps by more, as in torchvision and OpenCV: not what overlaps by as much.
    @Test func anOverlapOfJustTheLimitStays() {
        let found = [detection(0.9, 0, 0, 10), detection(0.8, 5, 0, 10)]  // 50 of 150
        #expect(NonMaxSuppression(maxIoU: 50 / 150).kept(of: found).count == 2)
        #expect(NonMaxSuppression(maxIoU: Float(50.0 / 150).nextDown).kept(of: found).count == 1)
    }

    /// What is suppressed suppresses nothing itself.
    @Test func aSuppressedBoxIsGone() {
        let chain = [detection(0.9, 0, 0, 10), detection(0.8, 4, 0, 10), detection(0.7, 8, 0, 10)]
        #expect(NonMaxSuppression(maxIoU: 0.4).kept(of: chain).map(\.score) == [0.9, 0.7])
    }

    // MARK: Boxes

    @Test func boxesOfEachCodingAreInPixelsOfTheImage() {
        let placement = Placement(
            original: PixelSize(width: 200, height: 100), content: PixelSize(width: 64, height: 32), x: 0, y: 16,
            canvas: PixelSize(width: 64, height: 64))
        let expected = Box(xMin: 50, yMin: 25, xMax: 150, yMax: 75)
        #expect(BoxCoding(.corners, .originalPixels).box(50, 25, 150, 75, in: placement) == expected)
        #expect(BoxCoding(.corners, .canvasPixels).box(16, 24, 48, 40, in: placement) == expected)
        #expect(BoxCoding(.centerSize, .canvasPixels).box(32, 32, 32, 16, in: placement) == expected)
        #expect(BoxCoding(.corners, .canvasFraction).box(0.25, 0.375, 0.75, 0.625, in: placement) == expected)
        #expect(BoxCoding(.centerSize, .imageFraction).box(0.5, 0.5, 0.5, 0.5, in: placement) == expected)
    }

    @Test func boxesKnowTheirMeasures() {
        let box = Box(xMin: 10, yMin: 20, xMax: 40, yMax: 60)
        #expect(box.width == 30 && box.height == 40 && box.area == 1200)
        #expect(box.center == (x: 25, y: 40))
    }
}
