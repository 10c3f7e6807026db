import Apus
import ArgumentParser
import Foundation
import Hardware
import ONNXRuntime
import Remedies

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Say what keeps a device from working, and what mends it.",
        discussion: """
            Examines the runtime and its libraries without loading them, then the system, then runs a small model on each \
            device in a process of its own. The exit code is 0 if the device that was asked for works.

            Examples:
              apus doctor
              apus doctor --device gpu
              apus doctor --runtime /opt/apus/runtime --format json
            """)

    @Option(help: "The device that is to work: auto, cpu, gpu, gpu.N or npu.")
    var device = Device.auto

    @OptionGroup var cache: CacheOptions

    @Option(help: "text or json.")
    var format = ReportFormat.text

    @OptionGroup var runtime: RuntimeOptions

    @Option(help: .hidden)
    var probe: String?

    mutating func run() async throws {
        if let probe {
            try DeviceProbe.answer(probe, runtime: runtime.runtime)
            Terminal.exit(0)
        }
        let report = DoctorReport(device: device, runtime: runtime.runtime, cache: cache.cache)
        switch format {
        case .text: Terminal.print(report.text)
        case .json: Terminal.print(try ReportJSON.text(report))
        }
        Terminal.exit(report.works ? 0 : 1)
    }
}

/// What the doctor found.
struct DoctorReport: Encodable {
    private(set) var device: String
    /// Whether the device that was asked for ran a model.
    private(set) var works = false
    private(set) var findings: [Finding] = []

    init(device: Device, runtime: String?, cache: CompiledModelCache) {
        self.device = device.description
        let target: DoctorTarget =
            switch device {
            case .auto: .auto
            case .cpu: .cpu
            case .gpu: .gpu
            case .npu: .npu
            }
        let location: RuntimeLocation
        do {
            location = try RuntimeLocation.find(explicit: runtime)
            findings.append(Finding("runtime", .pass, "\(location.library) (\(location.origin))"))
        } catch {
            findings.append(Finding("runtime", .fail, error.cause, remedy: error.remedy))
            findings += GraphicsExamination(target: target).findings()
            return
        }
        let examination = RuntimeExamination(
            folder: location.folder, library: location.library, target: target,
            pinnedVersion: RuntimeLocation.pinnedVersion, remedy: RuntimeLocation.remedy)
        var examined = examination.findings()
        examined += GraphicsExamination(target: target).findings()
        if examined.contains(where: { $0.check == "opencl" && $0.status == .pass }) {
            let outcome = DeviceProbe.run(DeviceProbe.openCL, runtime: nil)
            examined.append(
                Finding(
                    "opencl-gpu", outcome.works ? .pass : target == .gpu ? .fail : .warn, outcome.text,
                    remedy: outcome.works
                        ? nil
                        : "The driver may be too old for this GPU, or may not use /dev/dri: sudo apt-get upgrade intel-opencl-icd"
                ))
        }
        let probes = probes(device, runtime: runtime, hasOpenVINO: examination.hasOpenVINO)
        works = probes.first?.status == .pass
        // What is unusual but does no harm, as the device works, is a warning.
        findings += examined.map { finding in
            guard works, finding.status == .fail else { return finding }
            var mild = finding
            mild.status = .warn
            mild.reason += "; the device works all the same"
            return mild
        }
        let features = CPUFeatures()
        findings.append(
            features.avx2
                ? Finding("cpu-features", .pass, "inference uses \(features.names.joined(separator: ", "))")
                : Finding("cpu-features", .warn, "this CPU has no AVX2, so it is slow", remedy: "Use a GPU."))
        if let path = cache.path { findings.append(CacheExamination.finding(folder: path)) }
        findings.append(CacheExamination.verdicts(folder: VerdictStore.standardFolder))
        findings += probes
    }

    /// The asked device first, then the others that OpenVINO lists.
    private func probes(_ device: Device, runtime: String?, hasOpenVINO: Bool) -> [Finding] {
        guard hasOpenVINO else {
            let outcome = DeviceProbe.run("onnxruntime", runtime: runtime)
            let isEnough = device == .auto || device == .cpu
            let own = finding("CPU", outcome, isAsked: isEnough)
            if isEnough { return [own] }
            return [Finding("device-\(device)", .fail, "this runtime has no OpenVINO, so no \(device)"), own]
        }
        let asked = device.openVINOName ?? "auto"
        let first = DeviceProbe.run(asked, runtime: runtime)
        var found = [finding(asked, first, isAsked: true)]
        // A driver that crashes tells of no other device; the CPU is always there.
        for other in first.devices.isEmpty ? ["CPU"] : first.devices where other != first.device && other != asked {
            // Names of one device.
            if asked == "GPU" && other == "GPU.0" { continue }
            found.append(finding(other, DeviceProbe.run(other, runtime: runtime), isAsked: false))
        }
        return found
    }

    private func finding(_ name: String, _ outcome: DeviceProbe.Outcome, isAsked: Bool) -> Finding {
        Finding(
            "device-\(name.lowercased())", outcome.works ? .pass : isAsked ? .fail : .warn, outcome.text,
            remedy: outcome.remedy.map { Remedy($0) })
    }

    var text: String {
        var lines: [String] = []
        for finding in findings {
            let mark =
                switch finding.status {
                case .pass: "ok  "
                case .warn: "warn"
                case .fail: "FAIL"
                }
            lines.append(
                "\(mark)  \(finding.check.padding(toLength: 14, withPad: " ", startingAt: 0)) \(finding.reason)")
            for line in (finding.remedy?.text(for: .command) ?? "").split(separator: "\n") where finding.status != .pass
            {
                lines.append("      -> \(line)")
            }
        }
        lines.append("")
        lines.append(
            works
                ? "\(device) works: a small model ran. Whether your model's answers are right there, apus verify tells."
                : "\(device) does not work: see what is marked FAIL, from the top.")
        return lines.joined(separator: "\n")
    }
}
