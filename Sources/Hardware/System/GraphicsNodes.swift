internal import Foundation

/// A GPU that the kernel provides to programs: /dev/dri/renderD*.
package struct RenderNode: Sendable, Equatable {
    /// Such as "/dev/dri/renderD128".
    package var path: String
    /// The kernel's driver, such as "i915" or "xe".
    package var driver: String?
    /// 0x8086 is Intel.
    package var vendorID: Int?
    /// Such as "0000:03:00.0".
    package var pciAddress: String?
    package var isAccessible: Bool
    /// The group that may use it.
    package var group: String?

    package var isIntel: Bool { vendorID == 0x8086 || driver == "i915" || driver == "xe" }

    /// All render nodes.
    package static func all(root: SystemRoot = SystemRoot()) -> [RenderNode] {
        root.entries("/dev/dri").filter { $0.hasPrefix("renderD") }.map { name in
            let device = root.path("/dev/dri/\(name)")
            let facts = "/sys/class/drm/\(name)/device"
            let vendor = root.text(facts + "/vendor")?.trimmingCharacters(in: .whitespacesAndNewlines)
            return RenderNode(
                path: "/dev/dri/\(name)", driver: root.linkName(facts + "/driver"),
                vendorID: vendor.flatMap { Int($0.replacingOccurrences(of: "0x", with: ""), radix: 16) },
                pciAddress: root.linkName(facts), isAccessible: opens(device),
                group: (try? FileManager.default.attributesOfItem(atPath: device))?[.groupOwnerAccountName] as? String)
        }
    }
}

extension RenderNode {
    /// Opens the file like a driver: under a container's device rules, `access` succeeds and `open` fails.
    private static func opens(_ path: String) -> Bool {
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        close(descriptor)
        return true
    }
}

/// Intel graphics chips on the PCI bus, whether or not a driver is bound to them.
package struct GraphicsChip: Sendable, Equatable {
    package var pciAddress: String
    package var deviceID: String
    package var driver: String?

    /// All Intel chips in /sys/bus/pci; class 03 is a display.
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

/// The environment of the process.
package struct Surroundings: Sendable, Equatable {
    /// Windows Subsystem for Linux.
    package var isWSL: Bool
    /// Docker, Podman or Kubernetes.
    package var isContainer: Bool
    /// /dev/dxg, through which WSL provides the GPU.
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
