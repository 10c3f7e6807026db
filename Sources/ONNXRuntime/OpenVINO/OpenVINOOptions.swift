package import Engine
internal import Foundation
internal import Remedies

/// Options of ONNX Runtime's OpenVINO execution provider, validated before the provider sees them.
///
/// The provider parses keys and values as text and silently replaces invalid ones with defaults: without a `device_type` it uses
/// the CPU; `AUTO`, `cpu` or a misspelling runs everything on ONNX Runtime's own CPU provider. So only known good values pass.
package struct OpenVINOOptions: Sendable, Equatable {
    /// The provider's keys and values.
    package let entries: [String: String]
    package var device: String { entries["device_type"] ?? "" }

    /// - Parameters:
    ///   - device: "CPU", "GPU", "GPU.0", "GPU.1"…, "NPU".
    ///   - precision: the precision to compute in: f32 or bf16 on a CPU, f32 or f16 on a GPU, f16 on an NPU.
    package init(device: String, precision: ComputePrecision) throws(EngineError) {
        try precision.require(on: device)
        var entries = ["device_type": device]
        switch (OpenVINOOptions.family(of: device), precision) {
        case ("CPU", .f32), ("CPU", .bf16):
            // Always explicit: where the chip supports bf16, OpenVINO's default on the CPU is bf16.
            entries["load_config"] = #"{"CPU":{"INFERENCE_PRECISION_HINT":"\#(precision.rawValue)"}}"#
        case ("GPU", .f32): entries["precision"] = "FP32"
        case ("GPU", .f16), ("NPU", .f16): entries["precision"] = "FP16"
        default: break  // not a device: the check below reports it
        }
        try self.init(entries: entries)
    }

    /// Accepts the provider's own keys and values, as used in Python.
    package init(entries: [String: String]) throws(EngineError) {
        guard let device = entries["device_type"], !device.isEmpty else {
            throw OpenVINOOptions.invalid(
                "device_type", "it is missing, and without it OpenVINO silently runs on the CPU",
                "Specify the device: CPU, GPU, GPU.1 or NPU.")
        }
        guard let family = OpenVINOOptions.family(of: device) else {
            throw OpenVINOOptions.invalid(
                "device_type \(device)", OpenVINOOptions.reason(against: device),
                "Specify one device: CPU, GPU, GPU.0, GPU.1 or NPU, in upper case.")
        }
        if family == "CPU", let precision = entries["precision"], precision != "FP32" {
            throw OpenVINOOptions.invalid(
                "precision \(precision)", "OpenVINO's CPU device rejects it",
                #"For bf16 on the CPU use load_config = {"CPU":{"INFERENCE_PRECISION_HINT":"bf16"}}."#)
        }
        if entries["disable_dynamic_shapes"] != nil {
            throw OpenVINOOptions.invalid(
                "disable_dynamic_shapes", "the provider ignores it",
                "Fix the sizes instead: set the model's dimensions.")
        }
        if let config = entries["load_config"] {
            guard (try? JSONSerialization.jsonObject(with: Data(config.utf8))) is [String: [String: Any]] else {
                throw OpenVINOOptions.invalid(
                    "load_config", "\"\(config)\" is not a JSON object of options by device",
                    #"Pass the JSON text itself, not a path: {"CPU":{"INFERENCE_PRECISION_HINT":"bf16"}}."#)
            }
        }
        self.entries = entries
    }

    /// The same options, with a cache folder for compiled models.
    package func caching(in folder: String) -> OpenVINOOptions {
        var entries = entries
        entries["cache_dir"] = folder
        return OpenVINOOptions(checked: entries)
    }

    private init(checked entries: [String: String]) { self.entries = entries }

    /// "CPU", "GPU" or "NPU" for a device name that the provider accepts verbatim, nil for anything else.
    private static func family(of device: String) -> String? {
        let parts = device.split(separator: ".", omittingEmptySubsequences: false)
        guard let family = parts.first.map(String.init), ["CPU", "GPU", "NPU"].contains(family) else { return nil }
        switch parts.count {
        case 1: return family
        case 2 where family == "GPU" && !parts[1].isEmpty && parts[1].allSatisfy(\.isWholeNumber): return family
        default: return nil
        }
    }

    private static func reason(against device: String) -> String {
        switch device.prefix(while: { $0 != ":" }) {
        case "AUTO", "MULTI":
            "its results may come from different devices from one request to the next, and a bare AUTO runs "
                + "nothing on OpenVINO at all"
        case "HETERO": "it spreads the model over several devices, and a bare HETERO runs nothing on OpenVINO at all"
        default: "the provider does not know it and would run everything on ONNX Runtime's own CPU provider"
        }
    }

    private static func invalid(_ option: String, _ cause: String, _ remedy: Remedy) -> EngineError {
        EngineError(.invalidOption, doing: "use OpenVINO with \(option)", cause: cause, remedy: remedy)
    }
}
