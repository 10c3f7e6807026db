import Engine
import Foundation
import ONNXRuntime
import Remedies
import TestSupport
import Testing

@Suite(.enabled(if: TestRuntime.isWanted)) struct SessionTests {
    @Test func describesInputsOutputsAndMetadata() throws {
        let session = try TestRuntime.session("linear")
        #expect(
            session.inputs == [
                ValueInfo(name: "x", elementType: .float32, dimensions: [.dynamic("batch"), .fixed(4)])
            ])
        #expect(
            session.outputs == [
                ValueInfo(name: "y", elementType: .float32, dimensions: [.dynamic("batch"), .fixed(3)])
            ])
        #expect(session.metadata == ["greeting": "hello", "labels": #"{"1": "näme"}"#])
        #expect(session.producer == "apus-tests")
    }

    @Test(arguments: [false, true])
    func computesOnEitherProviderFromAFileAndFromBytes(openVINO: Bool) throws {
        let provider: ExecutionTarget = openVINO ? .openVINOCPU : .ownKernels
        let x = try Tensor(shape: [2, 4], scalars: [1, 0, 0, 0, 0, 1, 0, 1] as [Float])
        let bytes = try Fixtures.bytes("models/linear.onnx")
        let fromFile = try TestRuntime.session("linear", provider)
        let fromBytes = try Session(
            runtime: TestRuntime.load(), model: .bytes(bytes), options: SessionOptions(provider))
        for session in [fromFile, fromBytes] {
            let y = try #require(try session.run(["x": x])["y"])
            #expect(y.shape == [2, 3])
            #expect(try y.elements(of: Float.self) == [1, 3, 5, 13, 16, 19])
        }
    }

    @Test func everyElementTypePassesUnchanged() throws {
        let session = try TestRuntime.session("types")
        let results = try session.run([
            "f32": Tensor(shape: [2, 1], scalars: [1.5, -.infinity] as [Float]),
            "f16": Tensor(shape: [2, 1], scalars: [0.5, 65504] as [Float16]),
            "bf16": Tensor(shape: [2, 1], scalars: [BFloat16(3), BFloat16(-0.5)]),
            "f64": Tensor(shape: [2, 1], scalars: [.pi, 0] as [Double]),
            "i64": Tensor(shape: [2, 1], scalars: [.max, .min] as [Int64]),
            "i32": Tensor(shape: [2, 1], scalars: [.max, .min] as [Int32]),
            "u8": Tensor(shape: [2, 1], scalars: [0, 255] as [UInt8]),
            "bool": Tensor(shape: [2, 1], scalars: [true, false]),
        ])
        #expect(try results["f32_out"]?.elements(of: Float.self) == [1.5, -.infinity])
        #expect(try results["f16_out"]?.elements(of: Float16.self) == [0.5, 65504])
        #expect(try results["bf16_out"]?.elements(of: BFloat16.self) == [BFloat16(3), BFloat16(-0.5)])
        #expect(try results["f64_out"]?.elements(of: Double.self) == [.pi, 0])
        #expect(try results["i64_out"]?.elements(of: Int64.self) == [.max, .min])
        #expect(try results["i32_out"]?.elements(of: Int32.self) == [.max, .min])
        #expect(try results["u8_out"]?.elements(of: UInt8.self) == [0, 255])
        #expect(try results["bool_out"]?.elements(of: Bool.self) == [true, false])
    }

    @Test func oneSessionTakesManyShapes() throws {
        let session = try TestRuntime.session("linear", .openVINOCPU)
        for batch in [1, 5, 2, 64, 1] {
            let x = try Tensor(shape: [batch, 4], scalars: [Float](repeating: 0, count: batch * 4))
            #expect(try session.run(["x": x])["y"]?.shape == [batch, 3])
        }
    }

    @Test func aNamedDimensionCanBeFixed() throws {
        let session = try TestRuntime.session("linear") { $0.dimensions = ["batch": 2] }
        #expect(session.inputs[0].dimensions == [.fixed(2), .fixed(4)])
    }

    @Test func anOutputOutlivesItsSession() throws {
        var session: Session? = try TestRuntime.session("linear", .openVINOCPU)
        let x = try Tensor(shape: [1, 4], scalars: [1, 1, 1, 1] as [Float])
        let y = try #require(try session?.run(["x": x])["y"])
        session = nil
        #expect(try y.elements(of: Float.self) == [19, 24, 29])
    }

    @Test func aProfileIsWrittenWhenAskedFor() throws {
        let folder = try TemporaryFolder()
        let session = try TestRuntime.session("linear") { $0.profilePrefix = folder.path("profile") }
        _ = try session.run(["x": Tensor(shape: [1, 4], scalars: [0, 0, 0, 0] as [Float])])
        let path = try session.endProfiling()
        #expect(path.hasPrefix(folder.url.path))
        #expect(try String(contentsOfFile: path, encoding: .utf8).contains("MatMul"))
    }

    // MARK: Wrong inputs

    private func rejection(_ inputs: [String: Tensor], outputs: [String]? = nil) throws -> EngineError {
        let session = try TestRuntime.session("linear")
        let error = #expect(throws: EngineError.self) { try session.run(inputs, outputs: outputs) }
        return try #require(error)
    }

    @Test func inputsAreCheckedBeforeAnythingRuns() throws {
        let good = try Tensor(shape: [1, 4], scalars: [0, 0, 0, 0] as [Float])
        #expect(try rejection([:]).cause == "input x is missing; the model's inputs are x f32 [batch, 4]")
        #expect(
            try rejection(["x": good, "z": good]).cause == "the model has no input z; its inputs are x f32 [batch, 4]")
        #expect(
            try rejection(["x": Tensor(shape: [1, 4], scalars: [0, 0, 0, 0] as [Int64])]).cause
                == "input x: it must be f32, but it is i64")
        #expect(
            try rejection(["x": Tensor(shape: [1, 5], scalars: [0, 0, 0, 0, 0] as [Float])]).cause
                == "input x: its shape must be [batch, 4], but it is [1, 5]")
        #expect(
            try rejection(["x": good], outputs: ["q"]).cause
                == "the model has no output q; its outputs are y f32 [batch, 3]")
    }

    // MARK: Models that do not load

    private func loadFailure(_ model: ModelSource, openVINO: Bool = true) throws -> EngineError {
        let provider: ExecutionTarget = openVINO ? .openVINOCPU : .ownKernels
        let runtime = try TestRuntime.load()
        let error = #expect(throws: EngineError.self) {
            try Session(runtime: runtime, model: model, options: SessionOptions(provider))
        }
        return try #require(error)
    }

    @Test func aFileThatIsNotONNXIsSaidToBeNone() throws {
        let folder = try TemporaryFolder()
        let text = try folder.write(Array("just some text\n".utf8), to: "text.onnx")
        let empty = try folder.write([], to: "empty.onnx")
        for path in [text, empty] {
            let error = try loadFailure(.file(path))
            #expect(error.code == .modelUnreadable)
            #expect(error.description.contains(path))
            #expect(error.remedy != nil)
        }
        let truncated = try Array(Fixtures.bytes("models/detector_f32.onnx").prefix(9000))
        #expect(try loadFailure(.bytes(truncated)).code == .modelUnreadable)
    }

    @Test func aMissingFileAndAFolderAreTold() throws {
        #expect(try loadFailure(.file("/nonexistent/model.onnx")).cause == "there is no such file")
        #expect(try loadFailure(.file("/tmp")).cause == "it is a folder")
    }

    @Test(arguments: [false, true])
    func missingExternalDataIsTold(openVINO: Bool) throws {
        let error = try loadFailure(.file(Fixtures.path("models/external.onnx")), openVINO: openVINO)
        #expect(error.code == .modelUnreadable)
        #expect(
            error.remedy == "Put the external data file next to the model, under its original name."
        )
    }
}
