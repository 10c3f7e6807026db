import Apus
import Engine
import Remedies
import TestSupport
import Testing

@Suite struct DeviceTests {
    private func device(_ id: String, _ name: String, _ kind: String = "") -> CatalogDevice {
        CatalogDevice(id: id, fullName: name, kind: kind, capabilities: [])
    }

    @Test func namesAreReadInAnyCase() {
        #expect(Device("auto") == .auto)
        #expect(Device("CPU") == .cpu)
        #expect(Device("gpu") == .gpu(nil))
        #expect(Device("GPU.12") == .gpu(12))
        #expect(Device("npu") == .npu)
        for wrong in ["", "gpu.", "gpu.x", "gpu.-1", "cuda", "hetero"] { #expect(Device(wrong) == nil) }
    }

    @Test func autoTakesADiscreteThenAnIntegratedIntelGPUThenTheCPU() throws {
        let cpu = device("CPU", "Intel(R) Core(TM)")
        let integrated = device("GPU.0", "Intel(R) Iris(R) Xe Graphics (iGPU)", "integrated")
        let discrete = device("GPU.1", "Intel(R) Arc(TM) A770 Graphics (dGPU)", "discrete")
        let other = device("GPU.2", "Some other maker's GPU (dGPU)", "discrete")
        let npu = device("NPU", "Intel(R) AI Boost")
        #expect(try DeviceChoice.best(of: [cpu, integrated, discrete, other, npu]).name == "GPU.1")
        #expect(try DeviceChoice.best(of: [cpu, integrated, other]).name == "GPU.0")
        #expect(try DeviceChoice.best(of: [cpu, other, npu]).name == "CPU")
        #expect(
            try DeviceChoice.best(of: [cpu, npu]).reasons == ["auto: OpenVINO finds no Intel GPU (it finds CPU, NPU)"])
    }

    @Test func aGPUThatCannotBeDescribedIsAnErrorAndNotPassedOver() {
        let mute = [device("CPU", "Intel(R) Core(TM)"), device("GPU.0", "GPU.0")]
        let error = #expect(throws: ApusError.self) { try DeviceChoice.best(of: mute) }
        #expect(error?.code == .device)
        #expect(error?.cause == "OpenVINO lists GPU.0 but cannot identify it")
    }

    private func rejection(_ configuration: Detector.Configuration) throws -> ApusError {
        let error = #expect(throws: ApusError.self) { try Detector(configuration: configuration) }
        return try #require(error)
    }

    @Test(.enabled(if: TestRuntime.isWanted)) func impossibleCombinationsAreErrors() throws {
        let f16 = try rejection(.init(device: .cpu, precision: .f16))
        #expect(f16.code == .option)
        #expect(f16.advice?.text(for: .command) == "Use --precision f32 or bf16, or --device gpu.")
        #expect(try rejection(.init(device: .gpu(nil), provider: .cpu)).code == .device)
        #expect(try rejection(.init(precision: .bf16, provider: .cpu)).code == .option)
        #expect(
            try rejection(.init(precision: .f32, provider: .cpu)).advice?.text(for: .command).contains(
                "Leave out --precision") == true)
        #expect(try rejection(.init(threshold: 1.5)).code == .option)
        #expect(try rejection(.init(threshold: .nan)).code == .option)
        #expect(try rejection(.init(batchSize: 0)).code == .option)
    }

    @Test(.enabled(if: TestRuntime.isWanted)) func aGPUThatIsNotThereIsAnErrorAndNeverTheCPU() throws {
        let error = try rejection(.init(device: .gpu(9)))
        #expect(error.code == .device)
        #expect(error.cause.contains("OpenVINO finds no GPU.9"))
        #expect(error.remedy != nil)
    }

    /// OpenVINO would compute in f32 there and say nothing.
    @Test func bf16IsAnErrorOnACPUThatHasNone() throws {
        func device(_ id: String, _ capabilities: [String]) -> CatalogDevice {
            CatalogDevice(id: id, fullName: "A CPU", kind: "", capabilities: capabilities)
        }
        let error = #expect(throws: ApusError.self) {
            try DeviceChoice.check(.bf16, on: device("CPU", ["FP32", "INT8"]))
        }
        #expect(error?.cause == "this CPU does not support bf16 (A CPU; OpenVINO lists FP32, INT8)")
        #expect(error?.advice?.text(for: .command) == "Use --precision f32.")
        try DeviceChoice.check(.bf16, on: device("CPU", ["FP32", "BF16"]))
        try DeviceChoice.check(.f32, on: device("CPU", ["FP32"]))
    }
}
