import Engine
import Foundation
import TestSupport
import Testing

@testable import OpenVINO

/// What goes wrong on the way to a session: each is a clear error with what to do.
@Suite(.enabled(if: TestOpenVINO.isWanted, "needs APUS_TEST_ENGINE=openvino")) struct OpenVINOErrorTests {
    private func error(_ model: ModelSource, _ target: ExecutionTarget) throws -> EngineError? {
        let engine = try TestOpenVINO.engine()
        return #expect(throws: EngineError.self) {
            try engine.makeSession(of: model, options: SessionOptions(target))
        }
    }

    private let cpu = ExecutionTarget.openVINO(device: "CPU", precision: .f32)

    @Test func theEngineReportsItsVersionAndDevices() throws {
        let engine = try TestOpenVINO.engine()
        #expect(engine.version == OpenVINOSearch.pinnedVersion && engine.core.version.hasPrefix(engine.version))
        #expect(try engine.core.devices().contains { $0.id == "CPU" && !$0.fullName.isEmpty })
    }

    @Test func anotherVersionInTheSameProcessIsRefused() throws {
        _ = try TestOpenVINO.engine()
        let other = try TemporaryFolder()
        try other.write([], to: "libopenvino_c.so")
        let error = #expect(throws: EngineError.self) {
            try OpenVINOEngine(OpenVINOSearch.find(in: other.url.path, origin: "a test"))
        }
        #expect(error?.code == .runtimeUnusable && error?.cause.contains("already loaded") == true)
        #expect(error?.remedy != nil)
    }

    @Test func aFolderWithoutTheLibraryIsAnError() throws {
        let empty = try TemporaryFolder()
        let error = #expect(throws: EngineError.self) {
            try OpenVINOSearch.find(in: empty.url.path, origin: "the runtime option")
        }
        #expect(error?.code == .runtimeNotFound && error?.remedy != nil)
        #expect(error?.cause.contains("the runtime option") == true)
    }

    @Test func whatIsNotAModelIsUnreadable() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(Array("not a model".utf8), to: "model.onnx")
        for model in [ModelSource.file(path), .bytes([1, 2, 3]), .file(folder.path("absent.onnx"))] {
            let error = try error(model, cpu)
            #expect(error?.code == .modelUnreadable && error?.remedy != nil, "\(model.name): \(error?.cause ?? "")")
        }
        let other = try folder.write(Array("not a model".utf8), to: "model.xml")
        #expect(try error(.file(other), cpu)?.code == .modelUnreadable)
    }

    @Test func aDeviceThatIsNotThereIsNamed() throws {
        let model = ModelSource.file(Fixtures.path("models/detector_f32.onnx"))
        let error = try error(model, .openVINO(device: "NPU", precision: .f16))
        #expect(error?.code == .deviceUnavailable && error?.cause.contains("NPU") == true)
    }

    @Test func precisionsThatADeviceLacksAreRefused() throws {
        let model = ModelSource.file(Fixtures.path("models/detector_f32.onnx"))
        #expect(try error(model, .openVINO(device: "CPU", precision: .f16))?.code == .invalidOption)
        #expect(try error(model, .ownKernels)?.code == .invalidOption)
    }

    @Test func messagesAreReducedToTheirReason() {
        let message = """
            Exception from src/inference/src/cpp/core.cpp:152:
            Check 'node' failed at src/frontends/onnx/frontend/src/graph.cpp:12:
            [GPU] ProgramBuilder build failed!
            Out of memory.

            """
        #expect(OpenVINOLibrary.cause(in: message) == "[GPU] ProgramBuilder build failed! Out of memory.")
        #expect(OpenVINOLibrary.cause(in: "Exception from src/a.cpp:1:\n") == "Exception from src/a.cpp:1:")
    }
}
