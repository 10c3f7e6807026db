import Apus
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
        #expect(error?.cause.contains("it is itself not in a file") == true)
    }

    @Test(arguments: HostileModels.names) func whatElseMakesSessionsRefusesIt(name: String) throws {
        let path = HostileModels.path(name)
        let preprocessing = #expect(throws: ApusError.self) { try Preprocessor(model: .file(path)) }
        let check = try ModelCheck(runtime: nil, tolerance: .f32)
        let checking = #expect(throws: ApusError.self) { try check.expectation(of: .init(.file(path), name: name)) }
        let verifier = Verifier(model: .file(path), configuration: .init(device: .cpu), reference: .cpu)
        let verifying = #expect(throws: ApusError.self) {
            try verifier.report(on: [], apusVersion: "", progress: { _ in })
        }
        for error in [preprocessing, checking, verifying] {
            #expect(error?.cause.contains(HostileModels.cause(name)) == true, "\(error?.cause ?? "")")
        }
    }

    /// ONNX Runtime finds these itself.
    @Test func nodesInACircleAreAnError() throws {
        let path = HostileModels.path("nodes-in-a-circle")
        let error = #expect(throws: ONNXRuntimeError.self) {
            try Session(checked: .file(path), runtime: TestRuntime.load(), options: SessionOptions(provider: .cpu))
        }
        #expect(error?.cause.contains("not acyclic") == true)
        #expect(throws: ApusError.self) { try Detector(model: .file(path), configuration: .init(device: .cpu)) }
    }
}
