internal import Engine
internal import Foundation
package import Hardware
internal import Remedies

/// The devices of this machine as OpenVINO and OpenCL report them, and which one `auto` chooses.
package struct DeviceList: Sendable {
    /// One of OpenVINO's devices. Properties that it doesn't report are nil.
    package struct Entry: Sendable, Encodable {
        /// OpenVINO's name, such as "GPU.0".
        package var id: String
        /// The value for `--device`, such as "gpu.0".
        package var option: String
        package var name: String
        /// "cpu", "integrated GPU", "discrete GPU" or "npu".
        package var kind: String
        /// Such as "GPU: vendor=0x8086 arch=v12.7.1".
        package var architecture: String?
        package var executionUnits: Int?
        /// In bytes.
        package var totalMemory: UInt64?
        /// In bytes: of the whole machine on a CPU, by this process on a GPU.
        package var usedMemory: UInt64?
        /// OpenVINO's terms, such as "FP16" and "INT8".
        package var capabilities: [String]
        /// The values for `--precision` on this device.
        package var precisions: [Precision]
        /// Whether it has matrix-multiplication units: XMX on a GPU, AMX on a CPU.
        package var hasMatrixEngine: Bool
        package var driverVersion: String?
        package var pciAddress: String?
        package var uuid: String?
        /// The vector extensions of a CPU that inference uses.
        package var cpuFeatures: [String]?
        /// What the OpenCL driver reports about a GPU.
        package var opencl: OpenCLDevice?
    }

    package var devices: [Entry]
    /// What `auto` chooses, and why; nil if it can choose nothing.
    package var automatic: String?
    package var automaticReason: String
    package var openVINOVersion: String?
    /// OpenCL devices that OpenVINO does not list.
    package var otherOpenCL: [OpenCLDevice]
    /// Queries that failed, one sentence each.
    package var notes: [String]

    /// Queries the runtime in a folder (nil searches for one) and the system's OpenCL. What is missing is noted, not fatal.
    package init(runtime folder: String?) {
        notes = []
        devices = []
        var openCL: [OpenCLDevice] = []
        do {
            let found = try OpenCLLibrary().devices()
            openCL = found.devices
            notes += found.failures.map { "OpenCL: \($0)." }
            if openCL.isEmpty { notes.append("OpenCL: no driver provides a device, so OpenVINO has no GPU.") }
        } catch {
            notes.append("OpenCL: \(error.cause). OpenVINO needs it for a GPU: sudo apt-get install ocl-icd-libopencl1")
        }
        let engine: any Engine
        do {
            engine = try Engines.load(from: folder)
        } catch {
            (automatic, automaticReason) = (nil, "ONNX Runtime cannot be loaded")
            otherOpenCL = openCL
            notes.append("ONNX Runtime: \(error.cause). \(error.remedy.map { "\($0)" } ?? "")")
            return
        }
        do {
            let core = try engine.openVINO(doing: "list the devices")
            openVINOVersion = core.version
            let found = try core.devices()
            for device in found {
                let match = DeviceList.match(device.id, core, openCL)
                devices.append(Entry(device, core, match.map { openCL[$0] }))
                if let match { openCL.remove(at: match) }
            }
            let best = try DeviceChoice.best(of: found)
            (automatic, automaticReason) = (best.name, best.reasons.joined(separator: "; "))
        } catch let error as EngineError {
            (automatic, automaticReason) = DeviceList.withoutOpenVINO(engine)
            notes.append("OpenVINO: \(error.cause). \(error.remedy.map { "\($0)" } ?? "")")
        } catch let error as ApusError {
            (automatic, automaticReason) = (nil, error.cause)
            notes.append(error.remedy ?? "")
        } catch {
            (automatic, automaticReason) = (nil, "\(error)")
        }
        otherOpenCL = openCL
    }

    private static func withoutOpenVINO(_ engine: any Engine) -> (String?, String) {
        engine.hasOpenVINO
            ? (nil, "OpenVINO does not work")
            : ("CPU", "auto: this runtime has no OpenVINO, so ONNX Runtime's own CPU kernels run")
    }

    /// The OpenCL device that corresponds to an OpenVINO GPU: by UUID, else by its position among Intel's GPUs.
    private static func match(_ id: String, _ core: any DeviceCatalog, _ devices: [OpenCLDevice]) -> Int? {
        guard id.hasPrefix("GPU") else { return nil }
        if let uuid = core.property("DEVICE_UUID", of: id),
            let index = devices.firstIndex(where: { $0.isGPU && $0.uuid == uuid })
        {
            return index
        }
        // Earlier devices were removed from the list, so this is the first one left.
        return devices.firstIndex { $0.isGPU && $0.uuid == nil }
    }
}

extension DeviceList.Entry {
    fileprivate init(_ device: CatalogDevice, _ core: any DeviceCatalog, _ openCL: OpenCLDevice?) {
        func property(_ key: String) -> String? {
            core.property(key, of: device.id).flatMap { $0.isEmpty ? nil : $0 }
        }
        id = device.id
        option = device.id.lowercased()
        name = device.fullName
        architecture = property("DEVICE_ARCHITECTURE")
        capabilities = device.capabilities
        precisions = DeviceChoice.precisions(of: device)
        uuid = property("DEVICE_UUID")
        opencl = openCL
        driverVersion = openCL?.driverVersion ?? property("NPU_DRIVER_VERSION")
        executionUnits = property("GPU_EXECUTION_UNITS_COUNT").flatMap { Int($0) }
        hasMatrixEngine = device.capabilities.contains("GPU_HW_MATMUL")
        switch device.id.prefix(3) {
        case "CPU":
            kind = "cpu"
            let features = CPUFeatures()
            cpuFeatures = features.names
            hasMatrixEngine = features.amx
            let memory = SystemMemory()
            totalMemory = memory?.total
            usedMemory = memory.map { $0.total - $0.available }
        case "GPU":
            kind = device.kind.isEmpty ? "GPU" : "\(device.kind) GPU"
            totalMemory = property("GPU_DEVICE_TOTAL_MEM_SIZE").flatMap { UInt64($0) } ?? openCL?.totalMemory
            usedMemory = property("GPU_MEMORY_STATISTICS").map { text in
                text.matches(of: /[:=]?\s(\d+)\b/).compactMap { UInt64($0.1) }.reduce(0, +)
            }
            pciAddress = openCL?.pciAddress ?? property("DEVICE_PCI_INFO").flatMap(Self.address)
        default:
            kind = device.id.lowercased()
            totalMemory = property("NPU_DEVICE_TOTAL_MEM_SIZE").flatMap { UInt64($0) }
            usedMemory = property("NPU_DEVICE_ALLOC_MEM_SIZE").flatMap { UInt64($0) }
            pciAddress = property("DEVICE_PCI_INFO").flatMap(Self.address)
        }
    }

    /// From OpenVINO's "{domain: 0 bus: 3 device: 0x0 function: 0}".
    private static func address(_ text: String) -> String? {
        let parts = text.matches(of: /:\s*(?:0x)?([0-9a-fA-F]+)/).compactMap { Int($0.1, radix: 16) }
        guard parts.count == 4 else { return nil }
        return PCIAddress.text(domain: parts[0], bus: parts[1], device: parts[2], function: parts[3])
    }
}
