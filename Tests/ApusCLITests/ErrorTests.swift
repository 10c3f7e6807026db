import Engine
import Foundation
import ONNXRuntime
import TestSupport
import Testing

/// What users get wrong: each a clear error with what to do, exit code 1, and never a crash.
@Suite(.enabled(if: TestRuntime.isWanted)) struct ErrorTests {
    private let picture = Fixtures.path("images/baseline.jpg")

    /// Runs `apus detect` and returns its error, after checking that it is one of ours.
    private func failure(_ arguments: String..., environment: [String: String] = [:]) async throws -> String {
        let run = try await Command.run(executable: Command.apus, ["detect"] + arguments, environment: environment)
        #expect(run.status == 1, "\(run.errors)")
        #expect(run.errors.hasPrefix("apus: could not "))
        #expect(run.errors.split(separator: "\n").count >= 2, "it has no remedy: \(run.errors)")
        for sign in ["Fatal error", "Stack dump", "Backtrace", "0x0"] { #expect(!run.errors.contains(sign)) }
        return run.errors
    }

    // MARK: Pictures

    @Test func picturesThatCannotBeRead() async throws {
        let folder = try TemporaryFolder()
        let whole = try Fixtures.bytes("images/baseline.jpg")
        let truncated = try folder.write(Array(whole.prefix(whole.count / 2)), to: "half.jpg")
        let text = try folder.write(Array("Dear diary".utf8), to: "text.jpg")
        let empty = try folder.write([], to: "empty.jpg")
        let size = withUnsafeBytes(of: UInt32(60_000).bigEndian, Array.init)
        let huge = try folder.write(
            [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13] + Array("IHDR".utf8) + size + size
                + [8, 2, 0, 0, 0, 0, 0, 0, 0], to: "huge.png")
        #expect(try await failure("/no/such.jpg").contains("read /no/such.jpg: there is no such file"))
        #expect(try await failure(truncated).contains("read \(truncated): the JPEG file is truncated"))
        #expect(
            try await failure(text).contains(
                #"it is not a JPEG, PNG or WebP image (it begins with the text "Dear diary")"#)
        )
        #expect(try await failure(huge).contains("it is 60000x60000, 3600000000 pixels; the limit is 100000000"))
        #expect(try await failure(empty).contains("read \(empty): the file is empty"))
    }

    // MARK: Models

    @Test func modelsThatCannotBeUsed() async throws {
        let folder = try TemporaryFolder()
        let text = try folder.write(Array("no model".utf8), to: "text.onnx")
        #expect(try await failure(picture, "--model", text).contains("load the model \(text): it is not an ONNX model"))
        #expect(try await failure(picture, "--model", "/no/model.onnx").contains("there is no such file"))
        let classifier = Fixtures.path("models/classifier.onnx")
        #expect(
            try await failure(picture, "--model", classifier, "--provider", "cpu").contains(
                "it is not a detector that Apus decodes"))
        let external = Fixtures.path("models/external.onnx")
        #expect(
            try await failure(picture, "--model", external).contains(
                "its weights are in a second file, external.data: there is no such file"))
    }

    /// Their outputs fit several families, each of which decodes them differently.
    @Test(arguments: [[("dets", 4), ("labels", 91)], [("logits", 80), ("pred_boxes", 4)]])
    func modelsOfUncertainFamilyAreRefusedUntilItIsChosen(outputs: [(String, Int)]) async throws {
        let folder = try TemporaryFolder()
        let model = try folder.write(QueryModel.bytes(outputs: outputs), to: "uncertain.onnx")
        let text = try await failure(picture, "--model", model)
        #expect(text.contains("use the model \(model): its family is not certain"))
        #expect(text.contains("detr   ") && text.contains("--family detr"))
        let inspected = try await Command.run("inspect", model)
        #expect(inspected.status == 0 && inspected.output.contains("--family detr"))
        let chosen = try await Command.run("detect", picture, "--model", model, "--family", "detr", "--device", "cpu")
        #expect(chosen.status == 0)
        let unknown = try await Command.run("detect", picture, "--model", model, "--family", "yolo")
        #expect(unknown.status == 64 && unknown.errors.contains("detr"))
    }

    /// What belongs to another model is of no use to one whose family was chosen.
    @Test func labelsOfAnotherFamilyAreLeftAlone() async throws {
        let folder = try TemporaryFolder()
        let model = try folder.write(QueryModel.bytes(outputs: [("logits", 5), ("pred_boxes", 4)]), to: "model.onnx")
        try folder.write(
            Array(#"{"model_type": "yolos", "id2label": {"0": "wrong", "1": "wrong", "2": "wrong"}}"#.utf8),
            to: "config.json")
        let found = try await Command.run(
            "detect", picture, "--model", model, "--family", "detr", "--device", "cpu", "--threshold", "0")
        #expect(found.status == 0 && !found.output.contains("wrong"))
        #expect(found.output.contains("name its classes"))
    }

    /// As repositories at Hugging Face have it: the model in a folder below its configuration.
    @Test func configurationNextToAModelDecidesItsFamily() async throws {
        let folder = try TemporaryFolder()
        let bytes = try QueryModel.bytes(outputs: [("logits", 92), ("pred_boxes", 4)])
        try FileManager.default.createDirectory(atPath: folder.path("onnx"), withIntermediateDirectories: true)
        let model = try folder.write(bytes, to: "onnx/model.onnx")
        try folder.write(Array(#"{"model_type": "detr", "id2label": {"1": "thing"}}"#.utf8), to: "config.json")
        try folder.write(
            Array(#"{"size": {"shortest_edge": 64, "longest_edge": 128}, "do_resize": true}"#.utf8),
            to: "preprocessor_config.json")
        let inspected = try await Command.run("inspect", model)
        #expect(inspected.output.contains("family      detr: model_type detr in "))
        #expect(inspected.output.contains("shortest side 64, longest at most 128 (from preprocessor_config.json)"))
        #expect(try await Command.run("detect", picture, "--model", model, "--device", "cpu").status == 0)
        try folder.write(Array(#"{"model_type": "conditional_detr"}"#.utf8), to: "config.json")
        #expect(try await failure(picture, "--model", model).contains("declares model_type conditional_detr"))
        // The model's own preprocessing must be readable; files that other programs call config.json don't matter.
        try folder.write(Array(#"{"model_type": "detr"}"#.utf8), to: "config.json")
        try folder.write(Array("{".utf8), to: "preprocessor_config.json")
        #expect(
            try await failure(picture, "--model", model).contains("preprocessor_config.json: it is not valid JSON"))
        for other in ["{", "[1, 2]", #"{"model_type": 3}"#, #"{"port": 80}"#] {
            try folder.write(Array(other.utf8), to: "config.json")
            let text = try await failure(picture, "--model", model)
            #expect(text.contains("its family is not certain") && text.contains("config.json was ignored: "))
            let chosen = try await Command.run(
                "detect", picture, "--model", model, "--family", "detr", "--device", "cpu")
            #expect(chosen.status == 0)
        }
    }

    // MARK: Devices

    @Test func aGPUThatIsNotThere() async throws {
        let message = try await failure(picture, "--device", "gpu.7")
        #expect(message.contains("OpenVINO finds no GPU.7 on this machine (it finds "))
        let found = try TestRuntime.load().openVINO(doing: "test").devices().map(\.id)
        if !found.contains(where: { $0.hasPrefix("GPU") }) {
            #expect(message.contains("intel-opencl-icd"))
            // OpenVINO's GPU plugin needs it, and says only that there is no GPU.
            let hasOpenCL = dlopen("libOpenCL.so.1", RTLD_LAZY) != nil
            #expect(message.contains("needs libOpenCL.so.1, which is not installed") == !hasOpenCL)
        }
    }

    @Test func precisionThatTheDeviceLacks() async throws {
        #expect(try await failure(picture, "--device", "cpu", "--precision", "f16").contains("computes in f32 or bf16"))
    }

    // MARK: Runtimes

    @Test func noRuntimeAtAll() async throws {
        let home = try TemporaryFolder()
        let message = try await failure(
            picture, environment: ["HOME": home.url.path, "XDG_DATA_HOME": "", "APUS_RUNTIME": ""])
        #expect(message.contains("there is no libonnxruntime.so in"))
        #expect(message.contains("make setup"))
        #expect(
            try await failure(picture, "--runtime", "/nowhere").contains(
                "the runtime option is set to /nowhere, which does not exist"))
    }

    /// A copy of the runtime's folder, made of links, without some files.
    private func runtimeFolder(without names: [String]) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let source = try RuntimeSearch.find().folder
        for name in try FileManager.default.contentsOfDirectory(atPath: source) where !names.contains(name) {
            try FileManager.default.createSymbolicLink(
                atPath: folder.path(name), withDestinationPath: source + "/" + name)
        }
        return folder
    }

    @Test func aRuntimeFolderWithoutTheProvider() async throws {
        let folder = try runtimeFolder(without: ["libonnxruntime_providers_openvino.so"])
        let message = try await failure(picture, "--runtime", folder.url.path)
        #expect(message.contains("lacks libonnxruntime_providers_openvino.so"))
        #expect(message.contains("make setup"))
    }

    @Test func aProviderWhoseLibrariesAreMissing() async throws {
        // Real files: the provider looks for its own beside its real path.
        let folder = try TemporaryFolder()
        let source = try RuntimeSearch.find().folder
        for name in [
            "libonnxruntime.so.1.24.1", "libonnxruntime_providers_shared.so", "libonnxruntime_providers_openvino.so",
            "libopenvino_c.so.2025.4.1",
        ] {
            try FileManager.default.copyItem(atPath: source + "/" + name, toPath: folder.path(name))
        }
        let message = try await failure(picture, "--device", "cpu", "--runtime", folder.url.path)
        #expect(message.contains("libopenvino"))
    }

    @Test func aLibraryThatIsNoRuntime() async throws {
        let folder = try TemporaryFolder()
        try folder.write(Array("not a library".utf8), to: "libonnxruntime.so")
        #expect(try await failure(picture, "--runtime", folder.url.path).contains("load ONNX Runtime from"))
        let cairo = try await failure(picture, "--runtime", "/usr/lib/x86_64-linux-gnu/libcairo.so.2")
        #expect(cairo.contains("it does not export OrtGetApiBase: it is not ONNX Runtime"))
    }

    /// The oldest ONNX Runtime that Apus takes, built without OpenVINO: it works, on its own kernels, and says so.
    @Test func aRuntimeWithoutOpenVINO() async throws {
        let data =
            ProcessInfo.processInfo.environment["XDG_DATA_HOME"].flatMap { $0.isEmpty ? nil : $0 }
            ?? NSHomeDirectory() + "/.local/share"
        let folder = data + "/apus/test-runtimes/cpu-1.21.1"
        let run = try await Command.run("detect", Fixtures.path("demo/val/0005.jpg"), "--runtime", folder)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("(ONNX Runtime 1.21.1 was built without OpenVINO)"))
        #expect(run.output.contains("CPUExecutionProvider (ONNX Runtime 1.21.1 cannot list its nodes)"))
        let message = try await failure(picture, "--runtime", folder, "--device", "gpu")
        #expect(message.contains("was built without OpenVINO, so it has no OpenVINO devices"))
        #expect(
            try await failure(picture, "--runtime", folder, "--provider", "openvino").contains(
                "was built without OpenVINO"))
    }
}
