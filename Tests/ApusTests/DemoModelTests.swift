import Apus
import Engine
import ONNXRuntime
import Remedies
import TestSupport
import Testing

/// The demo model on its validation set, against the figures that PyTorch reached with the f32 checkpoint.
@Suite(.enabled(if: TestRuntime.isWanted)) struct DemoModelTests {
    private struct Annotations: Decodable {
        struct Picture: Decodable { var id: Int, fileName: String }
        struct Object: Decodable { var imageId: Int, categoryId: Int, bbox: [Float] }
        var images: [Picture]
        var annotations: [Object]
    }

    private struct Figures: Decodable {
        struct Row: Decodable { var recall: Double, precision: Double }
        var torch: Row
    }

    /// As OpenVINO sees it.
    private static let cpuHasBF16 =
        (try? TestRuntime.load().openVINO(doing: "test").device("CPU").capabilities.contains("BF16")) == true

    @Test func recallAndPrecisionAreThoseOfPyTorch() throws {
        try checkFigures(.f32, tolerance: 0.01)
    }

    @Test(.enabled(if: cpuHasBF16, "this CPU has no bf16")) func withBF16TooTheyAreThoseOfPyTorch() throws {
        try checkFigures(.bf16, tolerance: 0.02)
    }

    private func checkFigures(_ precision: Precision, tolerance: Double) throws {
        let truth = try #require(Fixtures.json("demo/val/instances.json", as: Annotations.self))
        let expected = try #require(Fixtures.json("demo/figures.json", as: Figures.self)).torch
        let detector = try Detector(configuration: .init(device: .cpu, precision: precision, threshold: 0.5))
        var (hits, misfires) = (0, 0)
        for picture in truth.images {
            let image = try Image(contentsOfFile: Fixtures.path("demo/val/" + picture.fileName))
            var open = truth.annotations.filter { $0.imageId == picture.id }
            for found in try detector.detect(image).detections {
                let best = open.indices.filter { open[$0].categoryId == found.label }
                    .map { ($0, overlap(found.box, open[$0].bbox)) }.max { $0.1 < $1.1 }
                if let (index, share) = best, share > 0.5 {
                    open.remove(at: index)
                    hits += 1
                } else {
                    misfires += 1
                }
            }
        }
        let recall = Double(hits) / Double(truth.annotations.count)
        let precisionReached = Double(hits) / Double(hits + misfires)
        print("demo model, \(precision.rawValue): recall \(recall), precision \(precisionReached)")
        #expect(abs(recall - expected.recall) <= tolerance)
        #expect(abs(precisionReached - expected.precision) <= tolerance)
    }

    /// Intersection over union with a COCO box: x, y, width, height.
    private func overlap(_ box: Box, _ coco: [Float]) -> Float {
        let width = min(box.xMax, coco[0] + coco[2]) - max(box.xMin, coco[0])
        let height = min(box.yMax, coco[1] + coco[3]) - max(box.yMin, coco[1])
        let common = max(0, width) * max(0, height)
        return common / ((box.xMax - box.xMin) * (box.yMax - box.yMin) + coco[2] * coco[3] - common)
    }
}
