internal import COpenVINO
package import Engine
internal import Foundation
internal import Remedies

/// OpenVINO's core, which lists devices and compiles models for them. Creating one loads every device plugin.
package final class OpenVINOCore: DeviceCatalog, @unchecked Sendable {  // ov::Core is thread-safe
    package let library: OpenVINOLibrary
    /// OpenVINO's build, such as "2025.4.1-20426-…".
    package var version: String { library.version }

    let handle: OpaquePointer

    /// - Throws: `openVINOUnavailable`.
    package init(_ library: OpenVINOLibrary) throws(EngineError) {
        self.library = library
        do {
            handle = try library.make { library.functions.createCore($0) }
        } catch {
            throw EngineError(
                .openVINOUnavailable, doing: "list OpenVINO's devices", cause: error.message, remedy: library.remedy)
        }
    }

    deinit { library.functions.freeCore(handle) }

    /// The devices that OpenVINO currently finds on this machine.
    package func devices() throws(EngineError) -> [CatalogDevice] {
        var list = ov_available_devices_t()
        do {
            try library.check(library.functions.devices(handle, &list))
        } catch {
            throw EngineError(
                .deviceUnavailable, doing: "list OpenVINO's devices", cause: error.message,
                remedy: "Choose the device explicitly: \(setting: .device, "cpu"), for example.")
        }
        defer { library.functions.freeDevices(&list) }
        return (0..<list.size).compactMap { list.devices[$0].map { device(String(cString: $0)) } }
    }

    package func device(_ id: String) -> CatalogDevice {
        CatalogDevice(
            id: id, fullName: (property("FULL_DEVICE_NAME", of: id) ?? id).trimmingCharacters(in: .whitespaces),
            kind: property("DEVICE_TYPE", of: id) ?? "",
            capabilities: (property("OPTIMIZATION_CAPABILITIES", of: id) ?? "").split(separator: " ").map(String.init))
    }

    package func property(_ key: String, of device: String) -> String? {
        var value: UnsafeMutablePointer<CChar>?
        guard library.functions.property(handle, device, key, &value) == 0, let value else { return nil }
        defer { library.functions.freeText(value) }
        return String(cString: value)
    }

    package func require(_ device: String, doing: String) throws(EngineError) {
        let found = try devices().map(\.id)
        if found.contains(where: { CatalogDevice.isSame($0, device) }) { return }
        var cause = "OpenVINO finds no \(device) on this machine (it finds \(found.joined(separator: ", ")))"
        var remedy: Remedy =
            "Choose one of these, or make sure that the device's driver is installed and that you may use it."
        if device.hasPrefix("GPU"), !found.contains(where: { $0.hasPrefix("GPU") }) {
            remedy =
                "On Debian and Ubuntu: apt-get install intel-opencl-icd ocl-icd-libopencl1, "
                + "and add yourself to the group render: usermod -aG render $USER"
            if dlopen("libOpenCL.so.1", RTLD_LAZY) == nil {
                cause += ": OpenVINO's GPU plugin needs libOpenCL.so.1, which is not installed"
            } else if !FileManager.default.fileExists(atPath: "/dev/dri") {
                cause += ": there is no /dev/dri, so the kernel provides no GPU (in a container: --device /dev/dri)"
            }
        }
        throw EngineError(.deviceUnavailable, doing: doing, cause: cause, remedy: remedy)
    }
}
