internal import Foundation

/// The system's OpenCL, queried for its devices. Loaded dynamically: many machines have none.
package struct OpenCLLibrary: @unchecked Sendable {  // functions of a library that is never unloaded
    package static let name = "libOpenCL.so.1"

    private typealias GetPlatformIDs =
        @convention(c) (UInt32, UnsafeMutablePointer<OpaquePointer?>?, UnsafeMutablePointer<UInt32>?) -> Int32
    private typealias GetDeviceIDs =
        @convention(c) (
            OpaquePointer?, UInt64, UInt32, UnsafeMutablePointer<OpaquePointer?>?, UnsafeMutablePointer<UInt32>?
        ) -> Int32
    private typealias GetInfo =
        @convention(c) (OpaquePointer?, UInt32, Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?) -> Int32

    private let getPlatforms: GetPlatformIDs
    private let getDevices: GetDeviceIDs
    private let getPlatformInfo: GetInfo
    private let getDeviceInfo: GetInfo

    /// - Throws: `HardwareError` with the dynamic linker's message.
    package init() throws(HardwareError) {
        guard let handle = dlopen(OpenCLLibrary.name, RTLD_NOW | RTLD_LOCAL) else {
            throw HardwareError(
                OpenCLLibrary.name, dlerror().map { String(cString: $0) } ?? "it does not load")
        }
        func symbol<Function>(_ name: String, _: Function.Type) throws(HardwareError) -> Function {
            guard let address = dlsym(handle, name) else {
                throw HardwareError(OpenCLLibrary.name, "it has no \(name)")
            }
            return unsafeBitCast(address, to: Function.self)
        }
        getPlatforms = try symbol("clGetPlatformIDs", GetPlatformIDs.self)
        getDevices = try symbol("clGetDeviceIDs", GetDeviceIDs.self)
        getPlatformInfo = try symbol("clGetPlatformInfo", GetInfo.self)
        getDeviceInfo = try symbol("clGetDeviceInfo", GetInfo.self)
    }

    /// All devices of all platforms, none if no driver is registered; and the failures of platforms, one sentence each.
    package func devices() throws(HardwareError) -> (devices: [OpenCLDevice], failures: [String]) {
        let platforms = try list(doing: "list its platforms") { getPlatforms($0, $1, $2) }
        var devices: [OpenCLDevice] = []
        var failures: [String] = []
        for platform in platforms {
            let name = text { getPlatformInfo(platform, 0x0902, $0, $1, $2) } ?? ""
            do {
                let found = try list(doing: "list the devices of \(name)") {
                    getDevices(platform, 0xffff_ffff, $0, $1, $2)
                }
                for device in found.compactMap({ $0 }) { devices.append(describe(device, platform: name)) }
            } catch {
                failures.append(error.cause)
            }
        }
        return (devices, failures)
    }

    private func list(
        doing: String, _ call: (UInt32, UnsafeMutablePointer<OpaquePointer?>?, UnsafeMutablePointer<UInt32>?) -> Int32
    ) throws(HardwareError) -> [OpaquePointer?] {
        var count: UInt32 = 0
        let status = call(0, nil, &count)
        if status == -1001 || status == -1 { return [] }  // CL_PLATFORM_NOT_FOUND_KHR, CL_DEVICE_NOT_FOUND
        guard status == 0 else { throw HardwareError("OpenCL", "it could not \(doing) (error \(status))") }
        var items = [OpaquePointer?](repeating: nil, count: Int(count))
        guard count == 0 || call(count, &items, nil) == 0 else {
            throw HardwareError("OpenCL", "it could not \(doing)")
        }
        return items
    }

    private func bytes(_ call: (Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?) -> Int32) -> [UInt8]? {
        var size = 0
        guard call(0, nil, &size) == 0, (1..<(1 << 20)).contains(size) else { return nil }
        var bytes = [UInt8](repeating: 0, count: size)
        guard bytes.withUnsafeMutableBytes({ call(size, $0.baseAddress, nil) }) == 0 else { return nil }
        return bytes
    }

    private func text(_ call: (Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?) -> Int32) -> String? {
        bytes(call).map { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self).trimmingCharacters(in: .whitespaces) }
    }

    /// The constants are from Khronos' `CL/cl.h` and `CL/cl_ext.h`.
    private func describe(_ device: OpaquePointer, platform: String) -> OpenCLDevice {
        func raw(_ key: UInt32) -> [UInt8]? { bytes { getDeviceInfo(device, key, $0, $1, $2) } }
        func string(_ key: UInt32) -> String { text { getDeviceInfo(device, key, $0, $1, $2) } ?? "" }
        func number(_ key: UInt32) -> Int? {
            guard let bytes = raw(key), bytes.count <= 8 else { return nil }
            return Int(exactly: bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        }
        let extensions = Set(string(0x1030).split(separator: " "))
        let sizes = extensions.contains("cl_intel_required_subgroup_size") ? raw(0x4108) ?? [] : []
        var slices: Int?
        if let count = number(0x4252), let each = number(0x4253) { slices = count * each }
        var address: String?
        // struct { cl_uint domain, bus, device, function; }
        if let bytes = raw(0x410f), bytes.count == 16 {
            let parts = stride(from: 0, to: 16, by: 4).map { Int(bytes[$0]) | Int(bytes[$0 + 1]) << 8 }
            address = PCIAddress.text(domain: parts[0], bus: parts[1], device: parts[2], function: parts[3])
        }
        return OpenCLDevice(
            name: string(0x102b), vendor: string(0x102c), platform: platform, version: string(0x102f),
            driverVersion: string(0x102d), totalMemory: number(0x101f).map { UInt64($0) }, computeUnits: number(0x1002),
            subSlices: slices, executionUnitsPerSubSlice: number(0x4254), threadsPerExecutionUnit: number(0x4255),
            maxWorkGroupSize: number(0x1004), maxSubGroups: number(0x105c),
            subGroupSizes: stride(from: 0, to: sizes.count - sizes.count % 8, by: 8).map {
                Int(sizes[$0]) | Int(sizes[$0 + 1]) << 8
            },
            hasFP16: extensions.contains("cl_khr_fp16"), hasFP64: extensions.contains("cl_khr_fp64"),
            hasAtomics64: extensions.contains("cl_khr_int64_base_atomics"),
            uuid: raw(0x106a).map { $0.map { String(format: "%02x", $0) }.joined() }, pciAddress: address,
            vendorID: number(0x1001) ?? 0, isGPU: (number(0x1000) ?? 0) & 4 != 0)
    }
}

/// A device's address on the PCI bus.
package enum PCIAddress {
    /// In the kernel's notation: "0000:03:00.0".
    package static func text(domain: Int, bus: Int, device: Int, function: Int) -> String {
        String(format: "%04x:%02x:%02x.%x", domain, bus, device, function)
    }
}
