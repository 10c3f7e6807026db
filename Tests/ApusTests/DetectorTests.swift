import Apus
import Engine
import Foundation
import ONNX
import ONNXRuntime
import Remedies
import TestSupport
import Testing

@Suite(.enabled(if: TestRuntime.isWanted)) struct DetectorTests {
    private func detector(
        _ model: String, _ configuration: Detector.Configuration = .init(device: .cpu, threshold: 0)
    ) throws -> Detector {
        try Detector(model: .file(Fixtures.path("models/\(model).onnx")), configuration: configuration)
    }

    /// Outputs named as Hugging Face exports name them are those of several families.
    private let named = Detector.Configuration(family: .detr, device: .cpu, threshold: 0)

    private func picture(_ name: String = "images/baseline.jpg") throws -> Image {
        try Image(contentsOfFile: Fixtures.path(name))
    }

    private func isClose(_ a: [Detection], _ b: [Detection], score: Float, box: Float) -> Bool {
        a.count == b.count
            && zip(a, b).allSatisfy { a, b in
                a.label == b.label && abs(a.score - b.score) <= score && abs(a.box.xMin - b.box.xMin) <= box
                    && abs(a.box.yMin - b.box.yMin) <= box && abs(a.box.xMax - b.box.xMax) <= box
                    && abs(a.box.yMax - b.box.yMax) <= box
            }
    }

    /// The usual traced export of a small DETR, against PyTorch's own outputs.
    @Test(arguments: [false, true])
    func theTracedGoldenAnswersAsPyTorch(openVINO: Bool) throws {
        let session = try Session(
            runtime: TestRuntime.load(),
            model: .file(Fixtures.path("checkpoints/tiny-bottleneck.traced-opset12.onnx")),
            options: SessionOptions(openVINO ? .openVINOCPU : .ownKernels))
        func golden(_ name: String) throws -> NPY {
            try NPY(contentsOf: Fixtures.url("checkpoints/tiny-bottleneck.single_\(name).npy"))
        }
        let images = try golden("images")
        let outputs = try session.run(["inputs": Tensor(shape: images.shape, scalars: images.values)])
        for (output, name) in [("pred_logits", "logits"), ("pred_boxes", "boxes")] {
            let expected = try golden(name)
            let tensor = try #require(outputs[output])
            #expect(tensor.shape == expected.shape)
            let worst = zip(try tensor.elements(of: Float.self), expected.values).map { abs($0 - $1) }.max()
            #expect(try #require(worst) <= 1e-3)
        }
    }

    @Test func theReportSaysWhatRan() throws {
        let detector = try Detector(configuration: .init(device: .cpu))
        #expect(detector.modelName == "demo")
        #expect(detector.family == "detr")
        #expect(detector.assumptions.isEmpty)
        let execution = detector.execution
        #expect(execution.provider == "OpenVINOExecutionProvider")
        #expect(execution.device == "CPU")
        #expect(execution.deviceName?.isEmpty == false)
        #expect(execution.precision == .f32)
        #expect(execution.reason == "device cpu was requested; f32 is its default")
        let nodes = try #require(execution.nodes)
        #expect(Array(nodes.keys) == ["OpenVINOExecutionProvider"])
        #expect((nodes["OpenVINOExecutionProvider"] ?? 0) > 100)
    }

    @Test func theOtherProviderAnswersAlike() throws {
        let openVINO = try Detector(configuration: .init(device: .cpu, threshold: 0.3))
        let own = try Detector(configuration: .init(provider: .cpu, threshold: 0.3))
        #expect(own.execution.provider == "CPUExecutionProvider")
        #expect(own.execution.nodes.map { Array($0.keys) } == ["CPUExecutionProvider"])
        let image = try picture("demo/val/0005.jpg")
        let (a, b) = (try openVINO.detect(image), try own.detect(image))
        #expect(!a.detections.isEmpty)
        #expect(isClose(a.detections, b.detections, score: 1e-3, box: 0.1))
    }

    @Test func halfPrecisionInputsAndOutputsAnswerAlike() throws {
        let image = try picture()
        let full = try detector("detector_f32").detect(image)
        let half = try detector("detector_f16").detect(image)
        #expect(full.detections.count == 6)
        #expect(isClose(full.detections, half.detections, score: 0.01, box: 1))
    }

    @Test func aFixedInputSizeWorks() throws {
        let result = try detector("detector_static").detect(picture())
        #expect(result.detections.count == 6)
        #expect(result.width == 320 && result.height == 240)
    }

    @Test func aMaskInputIsFilled() throws {
        let image = try picture()
        let plain = try detector("detector_f32").detect(image)
        let masked = try detector("detector_mask", named).detect(image)
        #expect(plain.detections.count == 6)
        #expect(isClose(plain.detections, masked.detections, score: 1e-5, box: 0.01))
        let fixed = try detector("detector_mask64", named).detect(image)
        #expect(isClose(plain.detections, fixed.detections, score: 1e-5, box: 0.01))
    }

    /// Some tools leave the shapes of outputs out; the runtime infers them.
    @Test func outputsWithoutShapesAreInferred() throws {
        var model = try ONNXFile.read(Fixtures.path("models/detector_f32.onnx"))
        for index in model.graph.outputs.indices { model.graph.outputs[index].type = .tensor(.float32, nil) }
        let folder = try TemporaryFolder()
        try ONNXFile.write(model, to: folder.path("bare.onnx"))
        let bare = try Detector(
            model: .file(folder.path("bare.onnx")), configuration: .init(device: .cpu, threshold: 0))
        let image = try picture()
        let found = try bare.detect(image).detections
        #expect(found.count == 6)
        #expect(isClose(found, try detector("detector_f32").detect(image).detections, score: 0, box: 0))
    }

    @Test func namesComeFromTheModelOrTheConfiguration() throws {
        let image = try picture()
        let own = try detector("detector_metadata")
        #expect(own.assumptions.isEmpty)
        let named = try own.detect(image).detections
        #expect(named.count == 6)
        for found in named {
            #expect(found.category == [0: "zero", 2: "two"][found.label])
        }
        let given = LabelMap(names: [0: "a", 1: "b", 2: "c", 3: "d"])
        let renamed = try detector("detector_f32", .init(device: .cpu, threshold: 0, labels: given))
        let others = try renamed.detect(image).detections
        #expect(others.count == 6)
        for found in others { #expect(found.category == given[found.label]) }
        #expect(!renamed.assumptions.contains { $0.contains("name its classes") })
        #expect(try detector("detector_f32").assumptions.contains { $0.contains("name its classes") })
    }

    // MARK: Batches

    @Test func aBatchAnswersAsItsPicturesDo() throws {
        let pictures = try (0..<12).map { try picture("demo/val/\($0 < 10 ? "000" : "00")\($0).jpg") }
        let single = try Detector(configuration: .init(device: .cpu, threshold: 0.5))
        let batched = try Detector(configuration: .init(device: .cpu, threshold: 0.5, batchSize: 3))
        let expected = try pictures.map { try single.detect($0) }
        #expect(expected.contains { !$0.detections.isEmpty })
        let results = try batched.detect(pictures)
        #expect(results.count == pictures.count)
        for (result, one) in zip(results, expected) {
            #expect(result.width == one.width && result.height == one.height)
            #expect(isClose(result.detections, one.detections, score: 2e-3, box: 0.5))
        }
    }

    @Test func aModelOfFixedBatchTakesAnyNumber() throws {
        let two = try detector("detector_batch2")
        let pictures = try [picture(), picture("images/small.png"), picture("images/gray.jpg")]
        let results = try two.detect(pictures)
        #expect(results.count == 3)
        for (picture, result) in zip(pictures, results) {
            #expect(result.detections.count == 6)
            #expect(isClose(try two.detect(picture).detections, result.detections, score: 1e-5, box: 0.01))
        }
    }

    @Test func aModelThatCannotBatchIsAnErrorWithTheWayOut() throws {
        let traced = try Detector(
            model: .file(Fixtures.path("checkpoints/tiny-bottleneck.traced-opset12.onnx")),
            configuration: .init(provider: .cpu, threshold: 0, batchSize: 2))
        let image = try picture("images/palette.png")
        let error = #expect(throws: ApusError.self) { try traced.detect([image, image]) }
        #expect(error?.remedy == "The model may not support batches, though its inputs declare it: use batch size 1.")
        let empty: [DetectionResult] = try traced.detect([])
        #expect(empty.isEmpty)
    }

    // MARK: Many at once

    @Test func oneDetectorServesManyTasks() async throws {
        let detector = try Detector(configuration: .init(device: .cpu, threshold: 0.5))
        let pictures = try ["0003", "0005", "0010", "0023"].map { try picture("demo/val/\($0).jpg") }
        var expected: [DetectionResult] = []
        for picture in pictures { expected.append(try await detector.detect(picture)) }
        #expect(expected.allSatisfy { !$0.detections.isEmpty })
        let answers = expected
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<24 {
                group.addTask {
                    let index = task % pictures.count
                    let result = try await detector.detect(pictures[index])
                    #expect(result.detections == answers[index].detections)
                }
            }
            try await group.waitForAll()
        }
    }

    // MARK: Failures

    @Test func answersThatAreNoNumbersAreAnError() throws {
        let error = #expect(throws: ApusError.self) { try detector("detector_nan").detect(picture()) }
        #expect(error?.code == .deviceFault)
        #expect(error?.advice?.text(for: .command).contains("--precision f32") == true)
    }

    @Test func aModelThatIsNoDetectorIsAnErrorThatSaysWhatItIs() throws {
        let error = #expect(throws: ApusError.self) { try detector("classifier") }
        #expect(error?.code == .notADetector)
        #expect(error?.description.contains("classifier.onnx") == true)
        #expect(
            error?.cause.contains(
                "Its inputs are image f32 [1, 3, 32, 32], its outputs scores f32 [1, 10].") == true)
    }

    @Test func wrongMetadataIsAnError() throws {
        let error = #expect(throws: ApusError.self) { try detector("detector_bad_metadata") }
        #expect(error?.code == .model)
    }
}
