import Apus
import ApusWorkflows
import Foundation
import TestSupport
import Testing

/// The workflows as a program calls them.
@Suite(.enabled(if: TestRuntime.isWanted)) struct ModelWorkflowsTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func url(_ name: String) -> URL { folder.url.appendingPathComponent(name) }

    @Test func aCheckpointBecomesAModelThatAConvertedOneAgreesWith() async throws {
        var options = ModelExportOptions()
        options.hasPadding = true
        options.heads = 4
        options.labels = LabelMap(names: [0: "one", 1: "two"])
        let exported = try await Model.export(
            checkpoint: Fixtures.url("checkpoints/tiny-basic.pth"), to: url("tiny.onnx"), options: options)
        #expect(exported.files == [url("tiny.onnx")])
        #expect(exported.differences?.count == 2)
        #expect(exported.assumptions.contains { $0.contains("images are resized to 800 pixels") })
        let detector = try Detector(model: exported.model, configuration: .init(device: .cpu, threshold: 0))
        #expect(detector.labels?[1] == "two")

        let converted = try await Model.convertToHalfPrecision(url("tiny.onnx"), to: url("half.onnx"))
        #expect(converted.differences?.count == 2)
        let sizes = try ["tiny.onnx", "half.onnx"].map {
            try FileManager.default.attributesOfItem(atPath: url($0).path)[.size] as? Int ?? 0
        }
        #expect(sizes[1] > 0 && sizes[1] < sizes[0])
    }

    @Test func whatIsNoCheckpointLeavesNoFile() async throws {
        try folder.write(Array("not a checkpoint".utf8), to: "model.pth")
        let error = await #expect(throws: ApusError.self) {
            try await Model.export(checkpoint: url("model.pth"), to: url("model.onnx"))
        }
        #expect(error?.code == .checkpoint)
        #expect(!FileManager.default.fileExists(atPath: url("model.onnx").path))
    }

    @Test func aDeviceIsVerifiedAndTheVerdictKept() async throws {
        var configuration = Detector.Configuration(device: .cpu, precision: .f32)
        configuration.verdicts = folder.url.path
        let images = try SamplePictures.all().prefix(1).map(\.image)
        let report = try await Verifier(configuration: configuration).verify(images)
        #expect(report.images == ["image 1"])
        #expect(report.fastest == .f32)
        configuration.requiresVerified = true
        #expect(try Detector(configuration: configuration).execution.verification.state == .yes)
    }
}
