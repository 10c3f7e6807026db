import Apus
import Engine
import Foundation
import ONNXRuntime
import TestSupport
import Testing

/// Models on which ONNX Runtime crashes, hangs, or reads what it should not: none reaches it.
@Suite(.enabled(if: TestRuntime.isWanted)) struct HostileModelTests {
    @Test(arguments: HostileModels.names) func aDetectorRefusesIt(name: String) throws {
        let path = HostileModels.path(name)
        for device in [Device.cpu, .auto] {
            let error = #expect(throws: ApusError.self) {
                try Detector(model: .file(path), configuration: .init(device: device))
            }
            #expect(error?.code == .model && error?.doing == "load the model \(path)")
            #expect(error?.cause.contains(HostileModels.cause(name)) == true, "\(error?.cause ?? "")")
            #expect(error?.remedy != nil)
        }
    }

    @Test(arguments: HostileModels.names) func inMemoryItIsRefusedToo(name: String) throws {
        let bytes = try Fixtures.bytes("hostile/\(name).onnx")
        let error = #expect(throws: ApusError.self) { try Detector(model: .bytes(bytes)) }
        #expect(error?.code == .model && error?.remedy != nil)
    }

    /// A model in memory has no folder, and the one that the process is in is not its own.
    @Test func aModelInMemoryHasNoOtherFiles() throws {
        let bytes = try Fixtures.bytes("models/external.onnx")
        let error = #expect(throws: ApusError.self) { try Detector(model: .bytes(bytes)) }
        #expect(error?.cause.contains("the model itself is not in a file") == true)
    }

    @Test(arguments: HostileModels.names) func aPreprocessorRefusesIt(name: String) throws {
        let error = #expect(throws: ApusError.self) { try Preprocessor(model: .file(HostileModels.path(name))) }
        #expect(error?.cause.contains(HostileModels.cause(name)) == true, "\(error?.cause ?? "")")
    }

    /// ONNX Runtime finds these itself.
    @Test func nodesInACircleAreAnError() throws {
        let path = HostileModels.path("nodes-in-a-circle")
        let error = #expect(throws: EngineError.self) {
            try TestRuntime.load().session(checked: .file(path), options: SessionOptions(.ownKernels))
        }
        #expect(error?.cause.contains("not acyclic") == true)
        #expect(throws: ApusError.self) { try Detector(model: .file(path), configuration: .init(device: .cpu)) }
    }
}
