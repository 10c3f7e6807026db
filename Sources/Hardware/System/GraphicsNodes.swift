internal import Foundation

/// The GPUs that the kernel offers to programs: /dev/dri/renderD*.
package struct RenderNode: Sendable, Equatable {
    /// As "/dev/dri/renderD128".
    package var path: String
    /// The kernel's driver, as "i915" or "xe".
    package var driver: String?
    /// 0x8086 is Intel.
    package var vendorID: Int?
    /// As "0000:03:00.0".
    package var pciAddress: String?
    package var isAccessible: Bool
    /// The group that may use it.
    package var group: String?

    package var isIntel: Bool { vendorID == 0x8086 || driver == "i915" || driver == "xe" }

    /// All that there are.
    package static func all(root: SystemRoot = SystemRoot()) -> [RenderNode] {
        root.entries("/dev/dri").filter { $0.hasPrefix("renderD") }.map { name in
            let device = root.path("/dev/dri/\(name)")
            let facts = "/sys/class/drm/\(name)/device"
            let vendor = root.text(facts + "/vendor")?.trimmingCharacters(in: .whitespacesAndNewlines)
            return RenderNode(
                path: "/dev/dri/\(name)", driver: root.linkName(facts + "/driver"),
                vendorID: vendor.flatMap { Int($0.replacingOccurrences(of: "0x", with: ""), radix: 16) },
                pciAddress: root.linkName(facts), isAccessible: access(device, R_OK | W_OK) == 0,
                group: (try? FileManager.default.attributesOfItem(atPath: device))?[.groupOwnerAccountName] as? String)
        }
    }
}

/// Intel graphics chips that the PCI bus shows, whether or not a driver has taken them.
package struct GraphicsChip: Sendable, Equatable {
    package var pciAddress: String
    package var deviceID: String
    package var driver: String?

    /// All of Intel's, from /sys/bus/pci; class 03 is a display.
    package static func intel(root: SystemRoot = SystemRoot()) -> [GraphicsChip] {
        root.entries("/sys/bus/pci/devices").compactMap { address in
            let facts = "/sys/bus/pci/devices/\(address)"
            func value(_ name: String) -> String {
                (root.text("\(facts)/\(name)") ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
            }
            guard value("class").hasPrefix("0x03"), value("vendor") == "0x8086" else { return nil }
            return GraphicsChip(
                pciAddress: address, deviceID: value("device"), driver: root.linkName(facts + "/driver"))
        }
    }
}

/// Where the process runs.
package struct Surroundings: Sendable, Equatable {
    /// Windows Subsystem for Linux.
    package var isWSL: Bool
    /// Docker, Podman or Kubernetes.
    package var isContainer: Bool
    /// /dev/dxg, by which WSL offers the GPU.
    package var hasDXG: Bool

    package init(root: SystemRoot = SystemRoot()) {
        let kernel = (root.text("/proc/sys/kernel/osrelease") ?? "").lowercased()
        isWSL = kernel.contains("microsoft") || kernel.contains("wsl")
        hasDXG = root.exists("/dev/dxg")
        isContainer =
            root.exists("/.dockerenv") || root.exists("/run/.containerenv")
            || root.exists("/var/run/secrets/kubernetes.io")
    }
}

/// The OpenCL drivers that are registered: the files that the loader reads.
package struct OpenCLRegistration: Sendable, Equatable {
    package var file: String
    /// The driver's library, as the file names it.
    package var library: String

    /// All in /etc/OpenCL/vendors, or in what OCL_ICD_VENDORS names.
    package static func all(
        root: SystemRoot = SystemRoot(), environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> (folder: String, registrations: [OpenCLRegistration]) {
        let named = environment["OCL_ICD_VENDORS"] ?? environment["OPENCL_VENDOR_PATH"]
        let folder = named ?? "/etc/OpenCL/vendors"
        let root = named == nil ? root : SystemRoot()
        let found = root.entries(folder).filter { $0.hasSuffix(".icd") }.map { name in
            OpenCLRegistration(
                file: "\(folder)/\(name)",
                library: (root.text("\(folder)/\(name)") ?? "").trimmingCharacters(in: .whitespacesAndNewlines))
        }
        return (folder, found)
    }
}
