import Foundation
import Hardware
import Remedies
import TestSupport
import Testing

/// Systems as folders: what the doctor says of each.
@Suite struct GraphicsExaminationTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func write(_ text: String, to path: String) throws { try folder.write(Array(text.utf8), to: path) }

    private func link(_ path: String, to target: String) throws {
        let url = folder.url.appendingPathComponent(path)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: url.path, withDestinationPath: target)
    }

    private func finding(
        _ check: String, _ target: DoctorTarget = .gpu, environment: [String: String] = [:],
        libraries: [String]? = nil
    ) throws -> Finding {
        let examination = GraphicsExamination(
            target: target, root: SystemRoot(folder.url.path), environment: environment,
            cache: libraries.map { LibraryCache(folders: $0) } ?? .system)
        return try #require(examination.findings().first { $0.check == check })
    }

    private func addChip(driver: String?) throws {
        try write("0x030000\n", to: "sys/bus/pci/devices/0000:03:00.0/class")
        try write("0x8086\n", to: "sys/bus/pci/devices/0000:03:00.0/vendor")
        try write("0x56a0\n", to: "sys/bus/pci/devices/0000:03:00.0/device")
        if let driver {
            try link("sys/bus/pci/devices/0000:03:00.0/driver", to: "../../../../bus/pci/drivers/\(driver)")
        }
    }

    @Test func aMachineWithoutAnIntelGPU() throws {
        let finding = try finding("gpu-device")
        #expect(finding.status == .fail)
        #expect(finding.reason == "this machine has no Intel GPU: there is no /dev/dri")
        #expect(try self.finding("gpu-device", .auto).status == .warn)
        #expect(GraphicsExamination(target: .cpu, root: SystemRoot(folder.url.path)).findings().isEmpty)
    }

    @Test func aGPUThatNoDriverOfTheKernelTakes() throws {
        try addChip(driver: nil)
        let finding = try finding("gpu-device")
        #expect(finding.reason == "no kernel driver is bound to the Intel GPU 0x56a0 at 0000:03:00.0")
        #expect(finding.remedy?.text(for: .command).contains("modprobe xe") == true)
    }

    @Test func aContainerThatDoesNotSeeTheGPU() throws {
        try addChip(driver: "i915")
        try write("", to: ".dockerenv")
        let finding = try finding("gpu-device")
        #expect(finding.reason.contains("the container does not see the files of the Intel GPU 0x56a0"))
        #expect(finding.remedy == "Start the container with --device /dev/dri")
    }

    @Test func windowsSubsystemForLinux() throws {
        try write("5.15.90.1-microsoft-standard-WSL2\n", to: "proc/sys/kernel/osrelease")
        #expect(try finding("gpu-device").remedy?.text(for: .command).contains("wsl --update") == true)
        try write("", to: "dev/dxg")
        #expect(try finding("gpu-device").status == .pass)
    }

    @Test func aDeviceFileThatMayBeUsed() throws {
        try write("", to: "dev/dri/renderD128")
        try write("0x8086\n", to: "sys/class/drm/renderD128/device/vendor")
        try link("sys/class/drm/renderD128/device/driver", to: "../../drivers/xe")
        let finding = try finding("gpu-device")
        #expect(finding.status == .pass)
        #expect(finding.reason == "/dev/dri/renderD128 may be used, driver xe")
    }

    @Test(.enabled(if: geteuid() != 0, "root may use everything"))
    func aDeviceFileThatOnlyAGroupMayUse() throws {
        try write("", to: "dev/dri/renderD128")
        try write("0x8086\n", to: "sys/class/drm/renderD128/device/vendor")
        try FileManager.default.setAttributes(
            [.posixPermissions: 0], ofItemAtPath: folder.path("dev/dri/renderD128"))
        let finding = try finding("gpu-device")
        #expect(finding.status == .fail)
        #expect(finding.remedy?.text(for: .command).contains("usermod -aG") == true)
    }

    @Test func anotherMakersGPUIsNamed() throws {
        try write("", to: "dev/dri/renderD128")
        try write("0x1002\n", to: "sys/class/drm/renderD128/device/vendor")
        try link("sys/class/drm/renderD128/device/driver", to: "../../drivers/amdgpu")
        #expect(
            try finding("gpu-device").reason
                == "this machine has no Intel GPU: there is only /dev/dri/renderD128 (amdgpu)")
    }

    @Test func anotherMakersBrokenDriverIsAWarning() throws {
        try write("", to: "lib/libOpenCL.so.1")
        let whole = try #require(LibraryCache.system.path(of: "libm.so.6"))
        try FileManager.default.copyItem(atPath: whole, toPath: folder.path("lib/libigdrcl.so"))
        try write(folder.path("lib/libigdrcl.so") + "\n", to: "etc/OpenCL/vendors/intel.icd")
        try write("/no/libpocl.so\n", to: "etc/OpenCL/vendors/pocl.icd")
        let environment = ["LD_LIBRARY_PATH": folder.path("lib")]
        #expect(try finding("opencl", environment: environment).status == .pass)
        let other = try finding("opencl-other", environment: environment)
        #expect(other.status == .warn)
        #expect(other.reason.contains("the driver /no/libpocl.so") && other.reason.contains("there is no such file"))
        #expect(other.remedy?.text(for: .command).hasPrefix("sudo rm /etc/OpenCL/vendors/pocl.icd") == true)
    }

    @Test func intelsDriverForCPUsIsNoneForGPUs() throws {
        try write("", to: "lib/libOpenCL.so.1")
        let whole = try #require(LibraryCache.system.path(of: "libm.so.6"))
        try FileManager.default.copyItem(atPath: whole, toPath: folder.path("lib/libintelocl.so"))
        try write(folder.path("lib/libintelocl.so") + "\n", to: "etc/OpenCL/vendors/intel64.icd")
        let finding = try finding("opencl", environment: ["LD_LIBRARY_PATH": folder.path("lib")])
        #expect(finding.status == .fail)
        #expect(finding.reason.hasPrefix("Intel's OpenCL driver is missing; registered: "))
    }

    @Test func driversThatTheEnvironmentNames() throws {
        try write("", to: "lib/libOpenCL.so.1")
        let whole = try #require(LibraryCache.system.path(of: "libm.so.6"))
        let libraries = ["LD_LIBRARY_PATH": folder.path("lib")]
        // A file instead of a folder, and a library by its name alone, which the linker finds.
        let file = try folder.write(Array("libigdrcl.so\n".utf8), to: "mine/intel.icd")
        let missing = try finding("opencl", environment: libraries.merging(["OCL_ICD_VENDORS": file]) { $1 })
        #expect(missing.reason == "\(file) names libigdrcl.so, which is missing")
        try FileManager.default.copyItem(atPath: whole, toPath: folder.path("lib/libigdrcl.so"))
        #expect(
            try finding("opencl", environment: libraries.merging(["OCL_ICD_VENDORS": file]) { $1 }).status == .pass)
        #expect(
            try finding(
                "opencl", environment: libraries.merging(["OCL_ICD_FILENAMES": folder.path("lib/libigdrcl.so")]) { $1 }
            ).status == .pass)
    }

    @Test func noOpenCLLoader() throws {
        let finding = try finding("opencl", libraries: [folder.url.path])
        #expect(finding.reason == "libOpenCL.so.1 is missing: OpenVINO reaches a GPU through it")
        #expect(finding.remedy == "sudo apt-get install intel-opencl-icd ocl-icd-libopencl1")
    }

    @Test func noOpenCLDriver() throws {
        try write("", to: "lib/libOpenCL.so.1")
        let lib = folder.path("lib")
        #expect(try finding("opencl", libraries: [lib]).reason.contains("no OpenCL driver is registered"))
        try write("libpocl.so\n", to: "etc/OpenCL/vendors/pocl.icd")
        try write("", to: "lib/libpocl.so")
        #expect(try finding("opencl", libraries: [lib]).reason.contains("Intel's OpenCL driver is missing"))
        try write("/no/libigdrcl.so\n", to: "etc/OpenCL/vendors/intel.icd")
        let broken = try finding("opencl", libraries: [lib])
        #expect(broken.reason.contains("the driver /no/libigdrcl.so"))
        #expect(broken.reason.contains("there is no such file"))
    }

    @Test func featuresOfTheProcessorAreReadFromItsFlags() throws {
        try write(
            "processor : 0\nflags\t\t: fpu avx2 avx512f avx512bw avx512_vnni amx_tile amx_bf16\n", to: "proc/cpuinfo")
        #expect(CPUFeatures(root: SystemRoot(folder.url.path)).names == ["AVX2", "AVX-512", "VNNI", "BF16", "AMX"])
        try write("MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 250 kB\n", to: "proc/meminfo")
        let memory = SystemMemory(root: SystemRoot(folder.url.path))
        #expect(memory?.total == 1_024_000 && memory?.available == 256_000)
    }
}
