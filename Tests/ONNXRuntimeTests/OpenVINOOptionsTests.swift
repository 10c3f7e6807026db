import Engine
import ONNXRuntime
import Remedies
import Testing

/// Each is a trap of the provider, which takes the value in silence and runs elsewhere, or fails without a reason.
@Suite struct OpenVINOOptionsTests {
    private func rejection(_ entries: [String: String]) -> EngineError? {
        #expect(throws: EngineError.self) { try OpenVINOOptions(entries: entries) }
    }

    @Test func aMissingDeviceTypeWouldBeTheCPUInSilence() throws {
        let error = try #require(rejection([:]))
        #expect(error.code == .invalidOption)
        #expect(error.cause.contains("without it OpenVINO silently runs on the CPU"))
        #expect(error.remedy?.text(for: .command).contains("GPU.1") == true)
    }

    @Test(arguments: [
        "AUTO", "AUTO:GPU,CPU", "HETERO", "HETERO:GPU,CPU", "MULTI:CPU", "cpu", "gpu", "Gpu.0", "XPU", "GPU.", "GPU.x",
        "CPU.1", "GPU.0.1", "CPU_FP32",
    ])
    func aDeviceThatTheProviderWouldReplaceIsRefused(_ device: String) throws {
        let error = try #require(rejection(["device_type": device]))
        #expect(error.code == .invalidOption)
        #expect(error.doing.contains(device))
        #expect(error.remedy == "Specify one device: CPU, GPU, GPU.0, GPU.1 or NPU, in upper case.")
    }

    @Test(arguments: ["CPU", "GPU", "GPU.0", "GPU.12", "NPU"])
    func aDeviceByItsOwnNameIsTaken(_ device: String) throws {
        #expect(try OpenVINOOptions(entries: ["device_type": device]).device == device)
    }

    @Test func f16OnTheCPUIsRefusedWithTheWayToBf16() throws {
        let raw = try #require(rejection(["device_type": "CPU", "precision": "FP16"]))
        #expect(raw.remedy?.text(for: .command).contains("INFERENCE_PRECISION_HINT") == true)
        let typed = #expect(throws: EngineError.self) { try OpenVINOOptions(device: "CPU", precision: .f16) }
        #expect(typed?.remedy?.text(for: .command) == "Use --precision f32 or bf16, or --device gpu.")
    }

    @Test func theCPUIsAlwaysToldItsPrecision() throws {
        #expect(
            try OpenVINOOptions(device: "CPU", precision: .f32).entries["load_config"]
                == #"{"CPU":{"INFERENCE_PRECISION_HINT":"f32"}}"#)
        #expect(
            try OpenVINOOptions(device: "CPU", precision: .bf16).entries["load_config"]
                == #"{"CPU":{"INFERENCE_PRECISION_HINT":"bf16"}}"#)
    }

    @Test func aGPUIsAlwaysToldItsPrecision() throws {
        #expect(try OpenVINOOptions(device: "GPU.1", precision: .f16).entries["precision"] == "FP16")
        #expect(try OpenVINOOptions(device: "GPU", precision: .f32).entries["precision"] == "FP32")
        #expect(throws: EngineError.self) { try OpenVINOOptions(device: "GPU", precision: .bf16) }
        #expect(throws: EngineError.self) { try OpenVINOOptions(device: "NPU", precision: .f32) }
    }

    @Test func disableDynamicShapesIsRefusedBecauseTheProviderIgnoresIt() throws {
        let error = try #require(rejection(["device_type": "CPU", "disable_dynamic_shapes": "true"]))
        #expect(error.cause == "the provider ignores it")
    }

    @Test(arguments: ["/etc/openvino.json", "{", "[]", #"{"CPU":"bf16"}"#])
    func loadConfigMustBeJSONTextAndNotAPath(_ config: String) throws {
        let error = try #require(rejection(["device_type": "CPU", "load_config": config]))
        #expect(error.remedy?.text(for: .command).contains("not a path") == true)
    }
}
