internal import Foundation
internal import Remedies

/// Examines what a GPU needs from the system: the kernel's driver, its device files, and Intel's OpenCL driver.
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
        return [kernel()] + openCL()
    }

    // MARK: Kernel

    private func kernel() -> Finding {
        let surroundings = Surroundings(root: root)
        let all = RenderNode.all(root: root)
        let nodes = all.filter(\.isIntel)
        if surroundings.isWSL {
            return surroundings.hasDXG
                ? Finding("gpu-device", .pass, "this is WSL, and /dev/dxg exists")
                : Finding(
                    "gpu-device", problem, "this is WSL without /dev/dxg, which it needs to reach the GPU",
                    remedy: "In Windows: wsl --update, then wsl --shutdown; and install Intel's graphics driver there.")
        }
        if let node = nodes.first(where: \.isAccessible) {
            let driver = node.driver.map { ", driver \($0)" } ?? ""
            return Finding("gpu-device", .pass, "\(node.path) may be used\(driver)")
        }
        if let node = nodes.first { return forbidden(node, surroundings) }
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
                    ?? "no kernel driver is bound to \(name)",
                remedy: "Use a kernel with i915 or xe for this GPU: Linux 6.2 for Arc A, 6.12 for Arc B; "
                    + "then: sudo modprobe xe || sudo modprobe i915")
        }
        let others = all.map { "\($0.path)\($0.driver.map { " (\($0))" } ?? "")" }.joined(separator: ", ")
        let seen = others.isEmpty ? "there is no /dev/dri" : "there is only \(others)"
        return Finding(
            "gpu-device", problem,
            surroundings.isContainer
                ? "the container sees no Intel GPU: \(seen)" : "this machine has no Intel GPU: \(seen)",
            remedy: surroundings.isContainer && others.isEmpty ? "Start the container with --device /dev/dri" : nil)
    }

    private func forbidden(_ node: RenderNode, _ surroundings: Surroundings) -> Finding {
        let group = node.group ?? "unknown"
        return Finding(
            "gpu-device", problem, "\(node.path) exists, but you may not use it (its group is \(group))",
            remedy: surroundings.isContainer
                ? "Start the container with --device /dev/dri --group-add $(stat -c %g \(node.path)) "
                    + "(the group's number on the host)"
                    // Nobody should join the group root: udev assigns the file to render at boot.
                : group == "root" || group == "unknown"
                    ? "sudo udevadm trigger --subsystem-match=drm   # assigns \(node.path) to the group render; "
                        + "then sudo usermod -aG render $USER, and log in again"
                    : "sudo usermod -aG \(group) $USER   # then log in again")
    }

    // MARK: OpenCL

    private func openCL() -> [Finding] {
        let install: Remedy = "sudo apt-get install intel-opencl-icd ocl-icd-libopencl1"
        func failed(_ reason: String, _ remedy: Remedy) -> [Finding] {
            [Finding("opencl", problem, reason, remedy: remedy)]
        }
        guard path(of: OpenCLLibrary.name) != nil else {
            return failed("\(OpenCLLibrary.name) is missing: OpenVINO reaches a GPU through it", install)
        }
        let (folder, registrations) = OpenCLRegistration.all(root: root, environment: environment)
        guard !registrations.isEmpty else {
            return failed("no OpenCL driver is registered: \(folder) has no .icd file", install)
        }
        let intel = registrations.filter(\.isIntelGPU)
        let others = registrations.filter { !$0.isIntelGPU }
        let broken = intel.compactMap(fault)
        var findings: [Finding]
        if intel.isEmpty {
            findings = failed(
                "Intel's OpenCL driver is missing; registered: \(others.map(\.library).joined(separator: ", "))",
                install)
        } else if broken.isEmpty {
            let list = intel.map(\.library).joined(separator: ", ")
            findings = [Finding("opencl", .pass, "\(list) is registered and complete")]
        } else {
            findings = failed(broken.joined(separator: "; "), "\(install)   # add --reinstall if it is installed")
        }
        // Another vendor's broken driver doesn't affect Intel's.
        for other in others {
            guard let fault = fault(of: other) else { continue }
            findings.append(
                Finding(
                    "opencl-other", .warn, "\(fault); Intel's GPU does not need it",
                    remedy: other.file.hasPrefix("/") ? "sudo rm \(other.file)   # or install what it needs" : nil))
        }
        return findings
    }

    /// Why a driver cannot be loaded; nil if it can.
    private func fault(of registration: OpenCLRegistration) -> String? {
        guard let path = registration.library.hasPrefix("/") ? registration.library : path(of: registration.library)
        else {
            return "\(registration.file) names \(registration.library.isEmpty ? "nothing" : registration.library), "
                + "which is missing"
        }
        var walk = LibraryWalk(cache: cache, libraryPath: environment["LD_LIBRARY_PATH"])
        let problems = walk.add(path)
        return problems.isEmpty
            ? nil : "the driver \(registration.library): " + problems.map(\.text).joined(separator: "; ")
    }

    /// Finds a library by name, like the dynamic linker.
    private func path(of name: String) -> String? {
        (environment["LD_LIBRARY_PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
            .first { FileManager.default.fileExists(atPath: $0) } ?? cache.path(of: name)
    }
}
