/// A device of this machine that can run models.
public struct AvailableDevice: Sendable, Hashable, CustomStringConvertible {
    /// The value for `Detector.Configuration.device`.
    public let device: Device
    /// The vendor's name, such as "Intel(R) Arc(TM) A770 Graphics (dGPU)".
    public let name: String
    /// "cpu", "integrated GPU", "discrete GPU" or "npu".
    public let kind: String
    /// The precisions it computes in, its default first.
    public let precisions: [Precision]

    /// The device and its name.
    public var description: String { "\(device): \(name)" }
}

extension Device {
    /// The devices that OpenVINO finds on this machine; with a runtime without OpenVINO, the CPU.
    ///
    /// - Parameter runtime: a folder that holds ONNX Runtime; nil searches for one.
    /// - Throws: `ApusError` with code `runtime` or `device` if no devices can be listed.
    public static func all(runtime: String? = nil) throws(ApusError) -> [AvailableDevice] {
        let list = DeviceList(runtime: runtime)
        let found = list.devices.compactMap { entry in
            Device(entry.option).map {
                AvailableDevice(device: $0, name: entry.name, kind: entry.kind, precisions: entry.precisions)
            }
        }
        if !found.isEmpty { return found }
        guard list.automatic == "CPU" else {
            throw ApusError(
                .device, doing: "list the devices", cause: list.notes.joined(separator: " "),
                remedy: "Run `apus doctor` to find out what is missing.")
        }
        return [AvailableDevice(device: .cpu, name: "CPU", kind: "cpu", precisions: [.auto])]
    }
}
