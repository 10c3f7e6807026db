internal import Foundation

/// Looks at what a GPU needs of the system: the kernel's driver, its device files, and Intel's OpenCL driver.
package struct GraphicsExamination: Sendable {
    private let root: SystemRoot
    private let environment: [String: String]
    private let cache: LibraryCache
    private let target: DoctorTarget

    package init(
        target: DoctorTarget, root: SystemRoot = SystemRoot(),
        environment: [String: String] = ProcessInfo.processInfo.environment, cache: LibraryCache = .system
    ) {
        self.target = target
        self.root = root
        self.environment = environment
        self.cache = cache
    }

    private var problem: Finding.Status { target == .gpu ? .fail : .warn }

    package func findings() -> [Finding] {
        guard target != .cpu, target != .npu else { return [] }
        return [kernel(), openCL()].compactMap { $0 }
    }

    // MARK: Kernel

    private func kernel() -> Finding {
        let surroundings = Surroundings(root: root)
        let nodes = RenderNode.all(root: root).filter(\.isIntel)
        if surroundings.isWSL {
            return surroundings.hasDXG
                ? Finding("gpu-device", .pass, "this is WSL, and /dev/dxg is there")
                : Finding(
                    "gpu-device", problem, "this is WSL without /dev/dxg, by which it reaches the GPU",
                    remedy: "In Windows: wsl --update, then wsl --shutdown; and install Intel's graphics driver there.")
        }
        if let node = nodes.first(where: \.isAccessible) {
            let driver = node.driver.map { ", driver \($0)" } ?? ""
            return Finding("gpu-device", .pass, "\(node.path) may be used\(driver)")
        }
        if let node = nodes.first {
            let group = node.group ?? "render"
            return Finding(
                "gpu-device", problem, "\(node.path) is there, but you may not use it (its group is \(group))",
                remedy: surroundings.isContainer
                    ? "Start the container with --group-add $(stat -c %g \(node.path))"
                    : "sudo usermod -aG \(group) $USER   # then log in again")
        }
        let chips = GraphicsChip.intel(root: root)
        if let chip = chips.first {
            let name = "the Intel GPU \(chip.deviceID) at \(chip.pciAddress)"
            if surroundings.isContainer {
                return Finding(
                    "gpu-device", problem, "the container does not see the files of \(name) (/dev/dri)",
                    remedy: "Start the container with --device /dev/dri")
            }
            return Finding(
                "gpu-device", problem,
                chip.driver.map { "\(name) has the driver \($0), but there is no /dev/dri/renderD*" }
                    ?? "no driver of the kernel has taken \(name)",
                remedy: "Use a kernel with i915 or xe for this GPU: Linux 6.2 for Arc A, 6.12 for Arc B; "
                    + "then: sudo modprobe xe || sudo modprobe i915")
        }
        return Finding(
            "gpu-device", problem,
            surroundings.isContainer
                ? "the container sees no GPU: there is no /dev/dri"
                : "this machine shows no Intel GPU: there is no /dev/dri",
            remedy: surroundings.isContainer ? "Start the container with --device /dev/dri" : nil)
    }

    // MARK: OpenCL

    private func openCL() -> Finding {
        let install = "sudo apt-get install intel-opencl-icd ocl-icd-libopencl1"
        guard cache.path(of: OpenCLLibrary.name) != nil || isInLibraryPath(OpenCLLibrary.name) else {
            return Finding(
                "opencl", problem, "\(OpenCLLibrary.name) is missing: OpenVINO reaches a GPU through it",
                remedy: install)
        }
        let (folder, registrations) = OpenCLRegistration.all(root: root, environment: environment)
        guard !registrations.isEmpty else {
            return Finding(
                "opencl", problem, "no OpenCL driver is registered: \(folder) has no .icd file", remedy: install)
        }
        var broken: [String] = []
        for registration in registrations {
            let path =
                registration.library.hasPrefix("/") ? registration.library : cache.path(of: registration.library) ?? ""
            var walk = LibraryWalk(cache: cache, libraryPath: environment["LD_LIBRARY_PATH"])
            let problems = path.isEmpty ? [] : walk.add(path)
            if path.isEmpty { broken.append("\(registration.file) names \(registration.library), which is missing") }
            if !problems.isEmpty {
                broken.append("the driver \(registration.library): " + problems.map(\.text).joined(separator: "; "))
            }
        }
        let intel = registrations.filter { $0.library.contains("igdrcl") || $0.file.contains("intel") }
        guard !intel.isEmpty else {
            return Finding(
                "opencl", problem,
                "Intel's OpenCL driver is missing; registered: \(registrations.map(\.library).joined(separator: ", "))",
                remedy: install)
        }
        guard broken.isEmpty else {
            return Finding(
                "opencl", problem, broken.joined(separator: "; "), remedy: "\(install)   # --reinstall if it is there")
        }
        return Finding("opencl", .pass, "\(intel.map(\.library).joined(separator: ", ")) is registered and whole")
    }

    private func isInLibraryPath(_ name: String) -> Bool {
        (environment["LD_LIBRARY_PATH"] ?? "").split(separator: ":").contains {
            FileManager.default.fileExists(atPath: "\($0)/\(name)")
        }
    }
}
