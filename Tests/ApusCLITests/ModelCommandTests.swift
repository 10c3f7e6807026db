import Foundation
import TestSupport
import Testing

@Suite(.enabled(if: TestRuntime.isWanted)) struct ModelCommandTests {
    private static let checkpoint = Fixtures.path("checkpoints/tiny-basic.pth")
    private static let traced = Fixtures.path("checkpoints/tiny-bottleneck.traced-opset12.onnx")

    @Test func exportWritesACheckedModelThatDetectTakes() async throws {
        let folder = try TemporaryFolder()
        let model = folder.path("tiny.onnx")
        let export = try await Command.run("export", ModelCommandTests.checkpoint, "-o", model)
        #expect(export.status == 0 && export.errors == "")
        for line in [
            "checkpoint  tiny-basic.pth  PyTorch (ZIP), DETR's own names, 0.1 million parameters",
            "network     DETR, ResNet of basic blocks [1, 1, 1, 1], 1 encoder and 2 decoder layers of 32 channels, 8 heads, 7 queries, 20 classes",
            "class names are unknown (--labels)", "input       inputs f32 [batch, 3, height, width]",
            "output      pred_logits f32 [batch, 7, 21]", "check       pred_boxes differs by at most",
        ] {
            #expect(export.output.contains(line), "\(line)\n\(export.output)")
        }
        let detect = try await Command.run(
            "detect", Fixtures.path("images/baseline.jpg"), "--model", model, "--threshold", "0")
        #expect(detect.status == 0 && detect.errors == "")
    }

    @Test func exportInJSONSaysTheSame() async throws {
        let folder = try TemporaryFolder()
        let run = try await Command.run(
            "export", ModelCommandTests.checkpoint, "-o", folder.path("m.onnx"), "--precision", "f16", "--padding",
            "--format",
            "json")
        let report = try #require(run.json as? [String: Any])
        #expect(report["nodes"] as? Int ?? 0 > 100)
        #expect((report["network"] as? [String: Any])?["queries"] as? Int == 7)
        let conversion = try #require(report["conversion"] as? [String: Any])
        #expect(conversion["converted_nodes"] as? Int ?? 0 > 100)
        let check = try #require(report["check"] as? [String: Any])
        #expect((check["outputs"] as? [[String: Any]])?.count == 2)
    }

    @Test func convertWritesACheckedModelAndSaysWhatStayed() async throws {
        let folder = try TemporaryFolder()
        let run = try await Command.run(
            "convert", ModelCommandTests.traced, "-o", folder.path("half.onnx"), "--keep-io")
        #expect(run.status == 0 && run.errors == "")
        #expect(run.output.contains("input      inputs f32 [batch_size, 3, height, width]"))
        #expect(run.output.contains("4 Softmax"))
        #expect(run.output.contains("sines, cosines and their angles"))
        // A traced export says that it takes any batch, and takes one picture: what was left out of the check is said.
        #expect(
            run.output.contains(
                "skipped    inputs [2, 3, 64, 96] random: the source does not run on it"))
        let inspect = try await Command.run("inspect", folder.path("half.onnx"))
        #expect(inspect.status == 0)
        #expect(inspect.output.contains("producer    apus"))
    }

    /// A model whose answers differ is not kept: here the file that it is checked against is another network.
    @Test func aModelThatCannotBeCheckedIsNotKept() async throws {
        let folder = try TemporaryFolder()
        let output = folder.path("out.onnx")
        let run = try await Command.run("convert", Fixtures.path("conversion/custom.onnx"), "-o", output)
        #expect(run.status == 1)
        #expect(run.errors.contains("cannot be determined"))
        let stopped = try await Command.run(
            "convert", Fixtures.path("conversion/external.onnx"), "-o", output, "--runtime", "/nowhere")
        #expect(stopped.status == 1)
        #expect(stopped.errors.contains("/nowhere, which does not exist"))
        #expect(!FileManager.default.fileExists(atPath: output))
        let unchecked = try await Command.run(
            "convert", Fixtures.path("conversion/external.onnx"), "-o", output, "--no-check", "--runtime", "/nowhere")
        #expect(unchecked.status == 0)
        #expect(unchecked.output.contains("check   skipped (--no-check)"))
    }

    @Test func whatIsThereIsKeptUntilTheNewModelIsChecked() async throws {
        let folder = try TemporaryFolder()
        let source = try folder.write(
            Fixtures.bytes("checkpoints/tiny-bottleneck.traced-opset12.onnx"), to: "model.onnx")
        let same = try await Command.run("convert", source, "-o", source)
        #expect(same.status == 1 && same.errors.contains("would overwrite its input"))
        let kept = try folder.write([1, 2, 3], to: "kept.onnx")
        let failed = try await Command.run("convert", source, "-o", kept, "--runtime", "/nowhere")
        #expect(failed.status == 1)
        #expect(try Data(contentsOf: URL(fileURLWithPath: kept)) == Data([1, 2, 3]))
        let done = try await Command.run("convert", source, "-o", kept)
        #expect(done.status == 0)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted() == [
                "kept.onnx", "model.onnx",
            ])
    }

    @Test func inspectTellsModelsAndCheckpoints() async throws {
        let model = try await Command.run("inspect", ModelCommandTests.traced, "--format", "json")
        let report = try #require(model.json as? [String: Any])
        #expect(report["family"] as? String == "detr" && report["kind"] as? String == "ONNX")
        #expect((report["opsets"] as? [String: Int]) == ["ai.onnx": 12])
        #expect(report["nodes"] as? Int == 1053)
        let checkpoint = try await Command.run("inspect", ModelCommandTests.checkpoint)
        #expect(checkpoint.output.contains("network     DETR, ResNet of basic blocks"))
        #expect(checkpoint.output.contains("GFLOPs for an image of 1066x800"))
        let other = try await Command.run("inspect", Fixtures.path("conversion/if.onnx"))
        #expect(other.status == 0 && other.output.contains("family      unknown: "))
    }

    @Test func whatIsNoModelIsAnErrorWithARemedy() async throws {
        for (arguments, cause) in [
            (["inspect", Fixtures.path("images/baseline.jpg")], "it is not an ONNX model"),
            (
                ["export", Fixtures.path("images/baseline.jpg"), "-o", "/tmp/x.onnx"],
                "it is not a checkpoint that Apus can read"
            ),
            (["export", Fixtures.path("readers/system.pth"), "-o", "/tmp/x.onnx"], "its pickle names posix.system"),
            (["export", ModelCommandTests.checkpoint, "-o", "/nowhere/x.onnx"], "No such file or directory"),
            (
                ["export", ModelCommandTests.checkpoint, "-o", "/tmp/x.onnx", "--opset", "12"],
                "opset 12 is not supported"
            ),
            (
                ["export", ModelCommandTests.checkpoint, "-o", "/tmp/x.onnx", "--heads", "5"],
                "5 attention heads do not divide"
            ),
            (["convert", "/nowhere.onnx", "-o", "/tmp/x.onnx"], "there is no such file"),
        ] {
            let run = try await Command.run(executable: Command.apus, arguments)
            #expect(run.status == 1, "\(arguments)")
            #expect(run.errors.contains(cause), "\(run.errors)")
            #expect(run.errors.split(separator: "\n").count >= 2, "a remedy: \(run.errors)")
        }
    }
}
