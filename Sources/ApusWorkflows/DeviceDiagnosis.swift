package import Apus
internal import Engine
package import Hardware
internal import Remedies

/// Diagnoses why a device doesn't work: checks the runtime and its libraries, the system, and a small model on each device.
package struct DeviceDiagnosis: Encodable, Sendable {
    package private(set) var device: String
    /// Whether the requested device ran a model.
    package private(set) var works = false
    package private(set) var findings: [Finding] = []

    package init(device: Device, runtime: String?, cache: CompiledModelCache, probe: DeviceProbe) {
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
            location = try Engines.locate(in: runtime)
            findings.append(Finding("runtime", .pass, "\(location.library) (\(location.origin))"))
        } catch {
            findings.append(Finding("runtime", .fail, error.cause, remedy: error.remedy))
            findings += GraphicsExamination(target: target).findings()
            return
        }
        let examination = RuntimeExamination(
            folder: location.folder, library: location.library, target: target,
            pinnedVersion: Engines.pinnedVersion, remedy: Engines.remedy)
        var examined = examination.findings()
        examined += GraphicsExamination(target: target).findings()
        if examined.contains(where: { $0.check == "opencl" && $0.status == .pass }) {
            examined.append(openCLFinding(probe, target))
        }
        let probes = probes(device, probe, hasOpenVINO: examination.hasOpenVINO)
        works = probes.first?.status == .pass
        // The device works, so other findings are harmless and become warnings.
        findings += examined.map { finding in
            guard works, finding.status == .fail else { return finding }
            var mild = finding
            mild.status = .warn
            mild.reason += "; the device works anyway"
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

    private func openCLFinding(_ probe: DeviceProbe, _ target: DoctorTarget) -> Finding {
        let outcome = probe.run(DeviceProbe.openCL)
        let remedy: Remedy =
            "The driver may be too old for this GPU, or may lack access to /dev/dri: sudo apt-get upgrade intel-opencl-icd"
        return Finding(
            "opencl-gpu", outcome.works ? .pass : target == .gpu ? .fail : .warn, outcome.text,
            remedy: outcome.works ? nil : remedy)
    }

    /// The requested device first, then the others that OpenVINO lists.
    private func probes(_ device: Device, _ probe: DeviceProbe, hasOpenVINO: Bool) -> [Finding] {
        guard hasOpenVINO else {
            let outcome = probe.run("onnxruntime")
            let isEnough = device == .auto || device == .cpu
            let own = finding("CPU", outcome, isAsked: isEnough)
            if isEnough { return [own] }
            return [Finding("device-\(device)", .fail, "this runtime has no OpenVINO, so no \(device)"), own]
        }
        let asked = device.openVINOName ?? "auto"
        let first = probe.run(asked)
        var found = [finding(asked, first, isAsked: true)]
        // A driver that crashes reports no other device; the CPU is always there.
        for other in first.devices.isEmpty ? ["CPU"] : first.devices where other != first.device && other != asked {
            // Two names of one device.
            if asked == "GPU" && other == "GPU.0" { continue }
            found.append(finding(other, probe.run(other), isAsked: false))
        }
        return found
    }

    private func finding(_ name: String, _ outcome: DeviceProbe.Outcome, isAsked: Bool) -> Finding {
        Finding(
            "device-\(name.lowercased())", outcome.works ? .pass : isAsked ? .fail : .warn, outcome.text,
            remedy: outcome.remedy.map { Remedy($0) })
    }
}
