internal import COnnxRuntime
package import Engine
internal import Foundation
internal import Remedies

/// OpenVINO's own list of devices, queried through its C API in the process that runs the models.
package final class OpenVINOCore: DeviceCatalog, @unchecked Sendable {  // ov::Core is thread-safe
    /// OpenVINO's build, such as "2025.4.1-20426-…".
    package let version: String

    private let core: OpaquePointer
    private let functions: Functions

    private struct Functions {
        let freeCore: ov_core_free_t
        let devices: ov_core_get_available_devices_t
        let freeDevices: ov_available_devices_free_t
        let property: ov_core_get_property_t
        let freeText: ov_free_t
        let errorInfo: ov_get_error_info_t
    }

    init(folder: String) throws(EngineError) {
        let library = folder + "/libopenvino_c.so"
        let doing = "list OpenVINO's devices"
        func unavailable(_ cause: String) -> EngineError {
            EngineError(.openVINOUnavailable, doing: doing, cause: cause, remedy: RuntimeSearch.remedy)
        }
        guard let handle = dlopen(library, RTLD_NOW | RTLD_LOCAL) else {
            throw unavailable(dlerror().map { String(cString: $0) } ?? "\(library) does not load")
        }
        func symbol<T>(_ name: String, _: T.Type) throws(EngineError) -> T {
            guard let address = dlsym(handle, name) else { throw unavailable("\(library) has no \(name)") }
            return unsafeBitCast(address, to: T.self)
        }
        functions = Functions(
            freeCore: try symbol("ov_core_free", ov_core_free_t.self),
            devices: try symbol("ov_core_get_available_devices", ov_core_get_available_devices_t.self),
            freeDevices: try symbol("ov_available_devices_free", ov_available_devices_free_t.self),
            property: try symbol("ov_core_get_property", ov_core_get_property_t.self),
            freeText: try symbol("ov_free", ov_free_t.self),
            errorInfo: try symbol("ov_get_error_info", ov_get_error_info_t.self))
        let create = try symbol("ov_core_create", ov_core_create_t.self)
        let getVersion = try symbol("ov_get_openvino_version", ov_get_openvino_version_t.self)
        let freeVersion = try symbol("ov_version_free", ov_version_free_t.self)

        var version = ov_version_t()
        if getVersion(&version) == 0, let build = version.buildNumber {
            self.version = String(cString: build)
            freeVersion(&version)
        } else {
            self.version = "unknown"
        }
        var core: OpaquePointer?
        let status = create(&core)
        guard status == 0, let core else {
            throw unavailable(functions.errorInfo(status).map { String(cString: $0) } ?? "status \(status)")
        }
        self.core = core
    }

    deinit { functions.freeCore(core) }

    /// The devices that OpenVINO currently finds on this machine.
    package func devices() throws(EngineError) -> [CatalogDevice] {
        var list = ov_available_devices_t()
        let status = functions.devices(core, &list)
        guard status == 0 else {
            throw EngineError(
                .deviceUnavailable, doing: "list OpenVINO's devices",
                cause: functions.errorInfo(status).map { String(cString: $0) } ?? "status \(status)",
                remedy: "Choose the device explicitly: \(setting: .device, "cpu"), for example.")
        }
        defer { functions.freeDevices(&list) }
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
        guard functions.property(core, device, key, &value) == 0, let value else { return nil }
        defer { functions.freeText(value) }
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
