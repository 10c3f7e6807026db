import Engine
import Foundation
import ONNXRuntime
import TestSupport
import Testing

/// What the provider does in silence, and Apus says.
@Suite(.enabled(if: TestRuntime.isWanted)) struct OpenVINOTests {
    @Test func theReportNamesTheProviderOfEveryNodeAndTheDevice() throws {
        let session = try TestRuntime.session("linear", .openVINOCPU)
        #expect(
            session.assignments == [
                NodeAssignment(provider: "OpenVINOExecutionProvider", operators: ["Gemm": 1])  // MatMul and Add, fused
            ])
        #expect(session.openVINODevice == "CPU")
        let plain = try TestRuntime.session("linear")
        #expect(plain.assignments?.map(\.provider) == ["CPUExecutionProvider"])
        #expect(plain.openVINODevice == nil)
    }

    @Test(arguments: ["trivial", "partial"])
    func aModelThatOpenVINOLeavesToTheCPUProviderIsAnError(model: String) throws {
        let error = #expect(throws: EngineError.self) { try TestRuntime.session(model, .openVINOCPU) }
        #expect(error?.code == .notOnProvider)
        #expect(error?.cause.contains("OpenVINO did not take the whole model") == true)
        #expect(error?.remedy != nil)
    }

    @Test func aValueForAnInputWithADefaultIsRefusedBecauseTheProviderWouldIgnoreIt() throws {
        let x = try Tensor(shape: [1, 4], scalars: [1, 1, 1, 1] as [Float])
        let bias = try Tensor(shape: [3], scalars: [10, 20, 30] as [Float])
        let plain = try TestRuntime.session("default_input")
        let without = try #require(try plain.run(["x": x])["y"]).elements(of: Float.self)
        let with = try #require(try plain.run(["x": x, "bias": bias])["y"]).elements(of: Float.self)
        #expect(zip(without, with).map { $1 - $0 } == [10, 20, 30])

        let openVINO = try TestRuntime.session("default_input", .openVINOCPU)
        #expect(openVINO.overridableInputs == ["bias"])
        _ = try openVINO.run(["x": x])
        let error = #expect(throws: EngineError.self) { try openVINO.run(["x": x, "bias": bias]) }
        #expect(error?.code == .invalidInput)
        #expect(error?.cause.contains("the OpenVINO provider always uses it") == true)
    }

    @Test(arguments: ["GPU", "GPU.7", "NPU"])
    func aDeviceThatIsNotThereIsAnErrorWithTheDevicesThatAre(device: String) throws {
        let runtime = try TestRuntime.load()
        let found = try runtime.openVINO(doing: "test").devices().map(\.id)
        #expect(found.contains("CPU"))
        guard !found.contains(where: { $0 == device || $0 == device + ".0" }) else { return }
        let error = #expect(throws: EngineError.self) {
            try TestRuntime.session("linear", .openVINO(device: device, precision: .f16))
        }
        #expect(error?.code == .deviceUnavailable)
        #expect(
            error?.cause.contains(
                "OpenVINO finds no \(device) on this machine (it finds \(found.joined(separator: ", ")))") == true)
        #expect(error?.remedy != nil)
    }

    @Test func openVINODescribesTheCPU() throws {
        let core = try TestRuntime.load().openVINO(doing: "test")
        #expect(core.version.hasPrefix("20"))
        let cpu = try #require(try core.devices().first { $0.id == "CPU" })
        #expect(!cpu.fullName.isEmpty && cpu.fullName != "CPU")
        #expect(cpu.capabilities.contains("FP32"))
    }

    @Test func anotherRuntimeInTheSameProcessIsRefused() throws {
        let runtime = try TestRuntime.load()
        let other = RuntimeLocation(library: "/elsewhere/libonnxruntime.so", folder: "/elsewhere", origin: "--runtime")
        let error = #expect(throws: EngineError.self) { try Runtime.load(other) }
        #expect(error?.cause == "this process already uses \(runtime.location.library)")
    }
}
