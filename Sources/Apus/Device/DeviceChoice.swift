package import Engine
internal import Hardware
internal import Remedies

/// The device, provider and precision that a configuration resolves to on this machine, and why.
package struct DeviceChoice: Sendable {
    package var target: ExecutionTarget
    package var device: String
    package var deviceName: String?
    /// The version of the device's driver, if it has one.
    package var driver: String?
    /// Nil where the model's own types decide.
    package var precision: Precision?
    package var reason: String

    package init(_ configuration: Detector.Configuration, engine: any Engine) throws(ApusError) {
        try configuration.check()
        let wantsOwnKernels = configuration.provider == .cpu
        if wantsOwnKernels || (configuration.provider == .auto && !engine.hasOpenVINO) {
            self = try .ownKernels(configuration, engine: engine)
            return
        }
        do {
            let catalog = try engine.openVINO(doing: "use OpenVINO")
            var reasons: [String] = []
            let name: String
            if let asked = configuration.device.openVINOName {
                name = asked
                reasons.append("device \(configuration.device) was requested")
            } else {
                (name, reasons) = try DeviceChoice.best(of: try catalog.devices())
            }
            var precision = configuration.precision
            if name != "CPU" { try catalog.require(name, doing: "use device \(configuration.device)") }
            let described = catalog.device(name)
            if precision == .auto {
                precision = DeviceChoice.precisions(of: described)[0]
                reasons.append("\(precision.rawValue) is its default")
            }
            try DeviceChoice.check(precision, on: described)
            guard let computed = ComputePrecision(rawValue: precision.rawValue) else {
                preconditionFailure("auto was resolved above")
            }
            try computed.require(on: name)
            self.precision = precision
            target = .openVINO(device: name, precision: computed)
            device = name
            deviceName = described.fullName
            driver = name == "CPU" ? nil : DeviceChoice.driver(of: name, catalog)
            reason = reasons.joined(separator: "; ")
        } catch let error as EngineError {
            throw ApusError(error)
        } catch let error as ApusError {
            throw error
        } catch {
            throw ApusError(.device, doing: "choose a device", cause: "\(error)")
        }
    }

    private init(
        target: ExecutionTarget, device: String, deviceName: String?, precision: Precision?, reason: String
    ) {
        self.target = target
        self.device = device
        self.deviceName = deviceName
        self.precision = precision
        self.reason = reason
    }

    /// A discrete Intel GPU, then an integrated one, then the CPU. Other vendors' GPUs, which OpenVINO may list too, and the NPU,
    /// which few detection models fit, are used only if named.
    package static func best(
        of devices: [CatalogDevice]
    ) throws(ApusError) -> (name: String, reasons: [String]) {
        if let mute = devices.first(where: { $0.id.hasPrefix("GPU") && ($0.fullName == $0.id || $0.kind.isEmpty) }) {
            throw ApusError(
                .device, doing: "choose a device", cause: "OpenVINO lists \(mute.id) but cannot identify it",
                remedy: "Its driver may be broken or too old. Name the device: \(setting: .device, "cpu"), or "
                    + "\(setting: .device, mute.id.lowercased()).")
        }
        let gpus = devices.filter { $0.id.hasPrefix("GPU") && $0.fullName.contains("Intel") }
        if let discrete = gpus.first(where: { $0.kind == "discrete" }) {
            return (discrete.id, ["auto: the first discrete Intel GPU that OpenVINO finds"])
        }
        if let integrated = gpus.first {
            return (integrated.id, ["auto: an integrated Intel GPU; OpenVINO finds no discrete one"])
        }
        let list = devices.map(\.id).joined(separator: ", ")
        return ("CPU", ["auto: OpenVINO finds no Intel GPU (it finds \(list))"])
    }

    /// A GPU's driver version comes from OpenCL, as OpenVINO doesn't report it.
    private static func driver(of device: String, _ core: any DeviceCatalog) -> String? {
        guard device.hasPrefix("GPU") else { return core.property("NPU_DRIVER_VERSION", of: device) }
        let devices = (try? OpenCLLibrary().devices().devices)?.filter { $0.isGPU && $0.isIntel } ?? []
        let uuid = core.property("DEVICE_UUID", of: device)
        return (devices.first { $0.uuid != nil && $0.uuid == uuid } ?? devices.first)?.driverVersion
    }

    /// Refuses bf16 on a CPU without it, where OpenVINO would silently compute in f32.
    package static func check(_ precision: Precision, on device: CatalogDevice) throws(ApusError) {
        guard precision == .bf16, device.id == "CPU", !device.capabilities.contains("BF16") else { return }
        throw ApusError(
            .option, doing: "use precision bf16",
            cause: "this CPU does not support bf16 (\(device.fullName); OpenVINO lists "
                + "\(device.capabilities.joined(separator: ", ")))",
            remedy: "Use \(setting: .precision, "f32").")
    }

    /// The precisions of a device, its default first.
    package static func precisions(of device: CatalogDevice) -> [Precision] {
        switch device.id.prefix(3) {
        case "CPU": device.capabilities.contains("BF16") ? [.f32, .bf16] : [.f32]
        case "GPU": device.capabilities.contains("FP16") ? [.f16, .f32] : [.f32]
        default: [.f16]
        }
    }

    private static func ownKernels(
        _ configuration: Detector.Configuration, engine: any Engine
    ) throws(ApusError) -> DeviceChoice {
        let wasAsked = configuration.provider == .cpu
        guard [.auto, .cpu].contains(configuration.device) else {
            throw ApusError(
                .device, doing: "use device \(configuration.device)",
                cause: wasAsked
                    ? "ONNX Runtime's own CPU provider runs on the CPU only"
                    : "ONNX Runtime \(engine.version) at \(engine.location.folder) was built without OpenVINO, so it has no OpenVINO devices",
                remedy: wasAsked ? "Use \(setting: .provider, "openvino")." : Engines.remedy)
        }
        guard configuration.precision == .auto else {
            throw ApusError(
                .option, doing: "use precision \(configuration.precision.rawValue)",
                cause: "ONNX Runtime's own CPU provider computes in the model's types",
                remedy: "Leave out \(setting: .precision), or use \(setting: .provider, "openvino").")
        }
        let why = wasAsked ? "provider cpu was requested" : "ONNX Runtime \(engine.version) was built without OpenVINO"
        return DeviceChoice(target: .ownKernels, device: "CPU", deviceName: nil, precision: nil, reason: why)
    }
}
