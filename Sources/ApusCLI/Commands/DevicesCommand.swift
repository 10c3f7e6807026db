import Apus
import ArgumentParser
import CommandSupport
import Foundation
import Hardware

struct DevicesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices",
        abstract: "List the devices that can run a model, and show which one auto selects.",
        discussion: """
            Shows what OpenVINO and OpenCL report for each. If a device is missing, run apus doctor --device gpu. The exit \
            code is 1 if auto finds no device.

            Examples:
              apus devices
              apus devices --format json
            """)

    @Option(help: "The output format.")
    var format = ReportFormat.text

    @OptionGroup var runtime: RuntimeOptions

    mutating func run() async throws {
        let list = DeviceList(runtime: runtime.runtime)
        switch format {
        case .text: Terminal.print(DevicesReport.text(list))
        case .json: Terminal.print(try ReportJSON.text(DevicesReport(list)))
        }
        Terminal.exit(list.automatic == nil ? 1 : 0)
    }
}

/// The output of `apus devices`.
struct DevicesReport: Encodable {
    struct Automatic: Encodable {
        var device: String?
        var reason: String
    }

    var devices: [DeviceList.Entry]
    var automatic: Automatic
    var openvinoVersion: String?
    var otherOpenclDevices: [OpenCLDevice]
    var notes: [String]

    init(_ list: DeviceList) {
        devices = list.devices
        automatic = Automatic(device: list.automatic?.lowercased(), reason: list.automaticReason)
        openvinoVersion = list.openVINOVersion
        otherOpenclDevices = list.otherOpenCL
        notes = list.notes
    }

    static func text(_ list: DeviceList) -> String {
        var blocks = list.devices.map { block($0, isAutomatic: $0.id == list.automatic) }
        for device in list.otherOpenCL {
            blocks.append(
                "\(device.name)\n" + rows([("not for OpenVINO", "\(device.platform), \(device.vendor)")]))
        }
        var last = ["auto selects \(list.automatic?.lowercased() ?? "nothing") (\(list.automaticReason))"]
        last += list.notes
        return (blocks + [last.joined(separator: "\n")]).joined(separator: "\n\n")
    }

    private static func block(_ device: DeviceList.Entry, isAutomatic: Bool) -> String {
        var facts: [(String, String?)] = [
            ("kind", device.kind),
            ("architecture", device.architecture),
            ("execution units", device.executionUnits.map { "\($0)" }),
            ("memory", memory(device)),
            ("capabilities", device.capabilities.joined(separator: " ")),
            ("matrix engine", device.hasMatrixEngine ? "yes" : "no"),
            ("vector units", device.cpuFeatures.map { $0.isEmpty ? "SSE only" : $0.joined(separator: " ") }),
            ("precisions", device.precisions.map(\.rawValue).joined(separator: ", ") + " (the first is the default)"),
            ("driver", device.driverVersion),
            ("PCI address", device.pciAddress),
            ("UUID", device.uuid),
        ]
        if let openCL = device.opencl { facts += DevicesReport.facts(openCL) }
        return "\(device.option)  \(device.name)\(isAutomatic ? "  <- auto" : "")\n" + rows(facts)
    }

    private static func facts(_ device: OpenCLDevice) -> [(String, String?)] {
        let units = [
            device.computeUnits.map { "\($0) compute units" }, device.subSlices.map { "\($0) sub-slices" },
            device.executionUnitsPerSubSlice.map { "\($0) EUs each" },
            device.threadsPerExecutionUnit.map { "\($0) threads per EU" },
        ]
        let groups = [
            device.maxWorkGroupSize.map { "at most \($0) items" }, device.maxSubGroups.map { "\($0) sub-groups" },
            device.subGroupSizes.isEmpty ? nil : "of \(device.subGroupSizes.map(String.init).joined(separator: ", "))",
        ]
        func yes(_ value: Bool, _ name: String) -> String { (value ? "" : "no ") + name }
        return [
            ("OpenCL", "\(device.platform), \(device.version), \(device.name)"),
            ("  memory", device.totalMemory.map(bytes)),
            ("  units", units.compactMap { $0 }.joined(separator: ", ")),
            ("  work-groups", groups.compactMap { $0 }.joined(separator: ", ")),
            (
                "  types",
                [yes(device.hasFP16, "fp16"), yes(device.hasFP64, "fp64"), yes(device.hasAtomics64, "64-bit atomics")]
                    .joined(separator: ", ")
            ),
        ]
    }

    private static func memory(_ device: DeviceList.Entry) -> String? {
        guard let total = device.totalMemory else { return nil }
        guard let used = device.usedMemory else { return bytes(total) }
        return bytes(total) + ", \(bytes(used)) in use" + (device.kind == "cpu" ? "" : " by this process")
    }

    private static func bytes(_ count: UInt64) -> String {
        count < 1 << 30
            ? String(format: "%.0f MiB", Double(count) / 0x1p20) : String(format: "%.1f GiB", Double(count) / 0x1p30)
    }

    private static func rows(_ facts: [(String, String?)]) -> String {
        facts.compactMap { name, value in
            value.flatMap { $0.isEmpty ? nil : "  \(name.padding(toLength: 16, withPad: " ", startingAt: 0)) \($0)" }
        }.joined(separator: "\n")
    }
}
