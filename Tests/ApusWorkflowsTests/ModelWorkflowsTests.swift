import Apus
import ApusWorkflows
import Foundation
import ONNX
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

    /// Here a limit of 1 KB makes it two files; in earnest 2 GB do.
    @Test func aModelOfTwoFilesReplacesAnotherOnlyOnceItIsChecked() async throws {
        let old = try ONNXFile.read(Fixtures.path("models/detector_f32.onnx"))
        let new = try ONNXFile.read(Fixtures.path("models/linear.onnx"))
        let path = folder.path("model.onnx")
        func write(_ model: ONNXModel, madeOf source: ONNXModel) async throws -> CheckedModel {
            try await CheckedModel.write(
                model, to: path, doing: "test", tolerance: .f32, policy: .run(runtime: nil), observer: { _ in },
                maxFileBytes: 1000
            ) { try CheckedModel.subject(source, name: "the source") }
        }
        let made = try await write(old, madeOf: old)
        #expect(made.written.dataPath == path + ".data" && made.check?.isWithin == true)
        let files = [path, path + ".data"]
        let kept = try files.map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
        _ = try Detector(model: .file(path), configuration: .init(provider: .cpu))

        await #expect(throws: (any Error).self) { try await write(new, madeOf: old) }
        #expect(try files.map { try Data(contentsOf: URL(fileURLWithPath: $0)) } == kept)
        #expect(
            try Set(FileManager.default.contentsOfDirectory(atPath: folder.url.path)) == [
                "model.onnx", "model.onnx.data",
            ])
    }

    @Test func aVerdictDoesNotHoldForAnotherPreprocessing() async throws {
        try folder.write(try Fixtures.bytes("models/detector_f32.onnx"), to: "model.onnx")
        let path = folder.path("model.onnx")
        try folder.write(Array(#"{"model_type": "detr"}"#.utf8), to: "config.json")
        func configure(_ shortest: Int) throws {
            let size = #"{"size": {"shortest_edge": \#(shortest), "longest_edge": 96}}"#
            try folder.write(Array(size.utf8), to: "preprocessor_config.json")
        }
        var configuration = Detector.Configuration(device: .cpu, precision: .f32)
        configuration.verdicts = folder.path("verdicts")
        func state() throws -> VerificationStatus.State {
            try Detector(model: .file(path), configuration: configuration).execution.verification.state
        }
        try configure(64)
        _ = try await Verifier(model: .file(path), configuration: configuration).verify(
            [try #require(try SamplePictures.all().first).image])
        #expect(try state() != .never)
        try configure(48)
        #expect(try state() == .never)
        try configure(64)
        #expect(try state() != .never)
    }

    @Test func aModelsFilesIncludeWhereItsConfigurationMayAppear() throws {
        try folder.write(try Fixtures.bytes("models/detector_f32.onnx"), to: "onnx/model.onnx")
        let model = Model.file(folder.path("onnx/model.onnx"))
        let stamps = model.files.map(FileStamp.init)
        try folder.write(Array("{}".utf8), to: "preprocessor_config.json")
        let changed = zip(stamps, model.files.map(FileStamp.init)).filter { $0 != $1 }.map(\.0.path)
        #expect(changed.count == 1 && changed[0].hasSuffix("preprocessor_config.json"))
        #expect(stamps.count == 5)
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
