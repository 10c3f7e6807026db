import Apus
import ApusWorkflows
import ArgumentParser
import CommandSupport
import Engine
import Foundation
import Hardware
import Remedies
import Settings

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Diagnose why a device does not work, and suggest fixes.",
        discussion: """
            Checks the runtime and its libraries without loading them, then the system, then runs a small model on each \
            device in a separate process. The exit code is 0 if the requested device works.

            Examples:
              apus doctor
              apus doctor --device gpu
              apus doctor --runtime /opt/apus/runtime --format json
            """)

    @Option(DetectorSetting.device, help: "The device to check.") var device

    @OptionGroup var cache: CacheOptions

    @Option(help: "The output format.")
    var format = ReportFormat.text

    @OptionGroup var runtime: RuntimeOptions

    @Option(help: .hidden)
    var probe: String?

    mutating func run() async throws {
        if let probe {
            try DeviceProbe.answer(probe, runtime: runtime.runtime)
            Terminal.exit(0)
        }
        let probe = DeviceProbe { [runtime] device in
            ["/proc/self/exe", "doctor", "--probe", device] + (runtime.runtime.map { ["--runtime", $0] } ?? [])
        }
        let report = DeviceDiagnosis(
            device: device?.value ?? Detector.Configuration().device, runtime: runtime.runtime, cache: try cache.cache,
            probe: probe)
        switch format {
        case .text: Terminal.print(report.text)
        case .json: Terminal.print(try ReportJSON.text(report))
        }
        Terminal.exit(report.works ? 0 : 1)
    }
}

extension DeviceDiagnosis {
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
                ? "\(device) works: a small model ran. Run apus verify to check your model's results on it."
                : "\(device) does not work: see the checks marked FAIL, from the top.")
        return lines.joined(separator: "\n")
    }
}
