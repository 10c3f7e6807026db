import Engine
import Foundation
import Hardware
import ONNXRuntime
import Remedies
import TestSupport
import Testing

/// Breaks one thing at a time in a copy of the runtime folder or in the environment; the doctor names it and what mends it.
@Suite(.enabled(if: TestRuntime.isWanted), .serialized) struct DoctorTests {
    private struct Diagnosis {
        var status: Int32
        var findings: [[String: String]]

        func finding(_ check: String) -> [String: String]? { findings.first { $0["check"] == check } }

        /// Of what failed.
        var failures: String {
            findings.filter { $0["status"] == "fail" }
                .map { "\($0["check"] ?? ""): \($0["reason"] ?? "") -> \($0["remedy"] ?? "")" }.joined(separator: "\n")
        }
    }

    private func examine(_ arguments: String..., environment: [String: String] = [:]) async throws -> Diagnosis {
        let run = try await Command.run(
            executable: Command.apus, ["doctor", "--format", "json"] + arguments, environment: environment)
        let report = try #require(run.json as? [String: Any], "\(run.errors)")
        let findings = try #require(report["findings"] as? [[String: Any]])
        return Diagnosis(status: run.status, findings: findings.map { $0.compactMapValues { $0 as? String } })
    }

    private func examine(_ runtime: BrokenRuntime, _ device: String = "cpu") async throws -> Diagnosis {
        try await examine("--runtime", runtime.folder.url.path, "--device", device)
    }

    private let mends = "make setup"

    @Test func aWholeRuntimeWorks() async throws {
        let diagnosis = try await examine(try BrokenRuntime())
        #expect(diagnosis.status == 0, "\(diagnosis.failures)")
        #expect(diagnosis.failures.isEmpty)
        #expect(diagnosis.finding("versions")?["reason"]?.contains("which match") == true)
        #expect(diagnosis.finding("device-cpu")?["status"] == "pass")
    }

    @Test func noRuntimeAtAll() async throws {
        let diagnosis = try await examine("--runtime", "/nowhere")
        #expect(diagnosis.status == 1)
        #expect(diagnosis.failures.contains("/nowhere, which does not exist"))
        #expect(diagnosis.failures.contains(mends))
    }

    @Test(
        arguments: [
            ("libonnxruntime_providers_shared.so", "ONNX Runtime loads every provider through it"),
            ("libonnxruntime_providers_openvino.so", "the OpenVINO provider"),
            ("libopenvino_onnx_frontend.so", "OpenVINO's reader of models"),
            ("libopenvino_c.so", "OpenVINO's list of devices"),
            ("libtbb.so", "OpenVINO's threads"),
            ("libopenvino_intel_cpu_plugin.so", "the CPU"),
        ])
    func aFileThatIsNotThere(prefix: String, purpose: String) async throws {
        let runtime = try BrokenRuntime()
        try runtime.remove(prefix)
        let diagnosis = try await examine(runtime)
        #expect(diagnosis.status == 1)
        let files = try #require(diagnosis.finding("runtime-files"))
        #expect(files["status"] == "fail")
        #expect(files["reason"]?.contains("lacks \(prefix)") == true)
        #expect(files["reason"]?.contains(purpose) == true)
        #expect(files["remedy"]?.contains(mends) == true)
    }

    @Test func allThatALibraryNeedsIsNamed() async throws {
        let runtime = try BrokenRuntime()
        try runtime.remove("libtbb.so")
        try runtime.remove("libopenvino_onnx_frontend.so")
        let libraries = try #require(try await examine(runtime).finding("libraries")?["reason"])
        #expect(libraries.contains("libtbb.so.12 is missing"))
        #expect(
            libraries.contains(
                "libopenvino_onnx_frontend.so.2541 is missing (libonnxruntime_providers_openvino.so needs it)"))
    }

    @Test func aLibraryThatIsCutShort() async throws {
        let runtime = try BrokenRuntime()
        let name = "libonnxruntime.so.\(RuntimeSearch.pinnedVersion)"
        try runtime.change(name) { $0 = $0.prefix(1 << 20) }
        let diagnosis = try await examine(runtime)
        #expect(diagnosis.status == 1)
        #expect(diagnosis.failures.contains("\(name) cannot be used: the file is damaged or truncated (1048576 bytes)"))
        #expect(diagnosis.failures.contains(mends))
    }

    @Test func aLibraryForAnotherProcessor() async throws {
        let runtime = try BrokenRuntime()
        try runtime.change("libopenvino_intel_cpu_plugin.so") { $0[18] = 183 }
        let diagnosis = try await examine(runtime)
        #expect(diagnosis.failures.contains("cpu-plugin: libopenvino_intel_cpu_plugin.so cannot be used"))
        #expect(diagnosis.failures.contains("it is a library for another processor"))
        #expect(diagnosis.failures.contains(mends))
    }

    @Test func aSymbolThatNoLibraryDefines() async throws {
        let runtime = try BrokenRuntime()
        try runtime.replace("Provider_GetHost", by: "Provider_GetHosX", in: "libonnxruntime_providers_openvino.so")
        let diagnosis = try await examine(runtime)
        #expect(diagnosis.status == 1)
        #expect(
            diagnosis.failures.contains(
                "libonnxruntime_providers_openvino.so uses a symbol that no library defines: Provider_GetHosX"))
        #expect(diagnosis.failures.contains(mends))
    }

    @Test func partsOfDifferentOpenVINOVersions() async throws {
        let runtime = try BrokenRuntime()
        try runtime.replace("libopenvino.so.2541", by: "libopenvino.so.2530", in: "libopenvino_intel_cpu_plugin.so")
        let diagnosis = try await examine(runtime)
        #expect(diagnosis.status == 1)
        #expect(
            diagnosis.failures.contains(
                "the folder mixes parts of different OpenVINO versions (2530: libopenvino_intel_cpu_plugin.so; 2541: "))
        #expect(
            diagnosis.failures.contains("libopenvino.so.2530 is missing (libopenvino_intel_cpu_plugin.so needs it)"))
        #expect(diagnosis.failures.contains(mends))
    }

    @Test func aProviderOfAnotherVersion() async throws {
        let runtime = try BrokenRuntime()
        try runtime.replace(
            "onnxruntime-openvino-ep-1.24.1", by: "onnxruntime-openvino-ep-1.23.0",
            in: "libonnxruntime_providers_openvino.so")
        let versions = try #require(try await examine(runtime).finding("versions"))
        #expect(
            versions["reason"]?.contains(
                "libonnxruntime is version 1.24.1, but its OpenVINO provider was built for 1.23.0") == true)
        #expect(versions["remedy"]?.contains(mends) == true)
        // It happens to work, as only the text was changed.
        #expect(versions["status"] == "warn")
    }

    @Test func theGPUPluginIsMissing() async throws {
        let runtime = try BrokenRuntime()
        try runtime.remove("libopenvino_intel_gpu_plugin.so")
        let asked = try await examine(runtime, "gpu")
        #expect(asked.status == 1)
        #expect(asked.failures.contains("lacks libopenvino_intel_gpu_plugin.so (Intel GPUs)"))
        #expect(try await examine(runtime).status == 0)
    }

    @Test func aLinkThatLeadsNowhereIsNoLibrary() async throws {
        let runtime = try BrokenRuntime()
        try runtime.remove("libopenvino_intel_cpu_plugin.so")
        try FileManager.default.createSymbolicLink(
            atPath: runtime.folder.path("libopenvino_intel_cpu_plugin.so"), withDestinationPath: "/nowhere/plugin.so")
        let diagnosis = try await examine(runtime)
        #expect(diagnosis.status == 1)
        #expect(
            diagnosis.finding("runtime-files")?["reason"]?.contains("lacks libopenvino_intel_cpu_plugin.so") == true)
    }

    @Test func whatLibrariesWriteIsNoAnswer() async throws {
        let diagnosis = try await examine("--device", "cpu", environment: ["ONEDNN_VERBOSE": "1"])
        #expect(diagnosis.status == 0, "\(diagnosis.failures)")
    }

    @Test func whatTheGPUPluginNeedsIsMissing() async throws {
        let runtime = try BrokenRuntime()
        // Whether or not this machine has the library itself.
        try runtime.replace("libOpenCL.so.1", by: "libOpenCL.so.7", in: "libopenvino_intel_gpu_plugin.so")
        let diagnosis = try await examine(runtime, "gpu")
        #expect(
            diagnosis.failures.contains(
                "gpu-plugin: libOpenCL.so.7 is missing (libopenvino_intel_gpu_plugin.so needs it)"))
    }

    /// A system that has all that this one has, but for OpenCL's loader, which the runtime does not bring.
    @Test func theLibraryThatTheRuntimeLacksIsNamedWithItsPackage() throws {
        let system = try TemporaryFolder()
        for folder in ["/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu"] {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            where name.contains(".so") && !name.hasPrefix("libOpenCL") {
                try? FileManager.default.createSymbolicLink(
                    atPath: system.path(name), withDestinationPath: "\(folder)/\(name)")
            }
        }
        let location = try RuntimeSearch.find()
        let findings = RuntimeExamination(
            folder: location.folder, library: location.library, target: .gpu,
            pinnedVersion: RuntimeSearch.pinnedVersion, remedy: RuntimeSearch.remedy,
            cache: LibraryCache(folders: [system.url.path]), libraryPath: nil
        ).findings()
        let plugin = try #require(findings.first { $0.check == "gpu-plugin" })
        #expect(plugin.status == .fail)
        #expect(plugin.reason == "libOpenCL.so.1 is missing (libopenvino_intel_gpu_plugin.so needs it)")
        #expect(plugin.remedy == "sudo apt-get install ocl-icd-libopencl1")
        #expect(findings.first { $0.check == "libraries" }?.status == .pass)
    }

    @Test func aRuntimeWithoutOpenVINO() async throws {
        let folder = RuntimeSearch.setupFolder(environment: ProcessInfo.processInfo.environment)
            .replacingOccurrences(of: "runtime/\(RuntimeSearch.pinnedVersion)", with: "test-runtimes/cpu-1.21.1")
        let cpu = try await examine("--runtime", folder, "--device", "cpu")
        #expect(cpu.status == 0, "\(cpu.failures)")
        #expect(cpu.finding("runtime-files")?["reason"]?.contains("without OpenVINO") == true)
        let gpu = try await examine("--runtime", folder, "--device", "gpu")
        #expect(gpu.status == 1)
        #expect(gpu.failures.contains("this runtime has no OpenVINO, so no gpu"))
    }

    @Test func noOpenCLDriver() async throws {
        let folder = try TemporaryFolder()
        let diagnosis = try await examine("--device", "gpu", environment: ["OCL_ICD_VENDORS": folder.url.path])
        #expect(diagnosis.status == 1)
        #expect(diagnosis.failures.contains("sudo apt-get install intel-opencl-icd ocl-icd-libopencl1"))
        #expect(diagnosis.finding("gpu-device")?["status"] == "fail")
    }

    @Test func aCacheThatCannotBeWritten() async throws {
        let cache = try #require(try await examine("--device", "cpu", "--cache-dir", "/proc/apus").finding("cache"))
        #expect(cache["status"] == "warn")
        #expect(cache["reason"]?.contains("so a GPU compiles at every start") == true)
        #expect(cache["remedy"]?.contains("--cache-dir") == true)
    }

    @Test func verdictsThatCannotBeKept() async throws {
        let verdicts = try #require(
            try await examine("--device", "cpu", environment: ["XDG_STATE_HOME": "/proc/apus"]).finding("verdicts"))
        #expect(verdicts["status"] == "warn")
        #expect(verdicts["remedy"] == "Set XDG_STATE_HOME to a writable folder.")
    }

    @Test func devicesAreListedWithoutARuntimeToo() async throws {
        let run = try await Command.run("devices", "--runtime", "/nowhere", "--format", "json")
        #expect(run.status == 1)
        let report = try #require(run.json as? [String: Any])
        let notes = try #require(report["notes"] as? [String])
        #expect(
            notes.contains {
                $0.hasPrefix("ONNX Runtime: the runtime option is set to /nowhere, which does not exist")
            })
        #expect((report["automatic"] as? [String: Any])?["reason"] as? String == "ONNX Runtime cannot be loaded")
    }

    @Test func theCPUIsListedWithItsFacts() async throws {
        let run = try await Command.run("devices", "--format", "json")
        #expect(run.status == 0)
        let devices = try #require((run.json as? [String: Any])?["devices"] as? [[String: Any]])
        let cpu = try #require(devices.first { $0["id"] as? String == "CPU" })
        #expect(cpu["kind"] as? String == "cpu" && cpu["option"] as? String == "cpu")
        #expect((cpu["total_memory"] as? Int ?? 0) > (cpu["used_memory"] as? Int ?? .max))
        #expect((cpu["capabilities"] as? [String])?.contains("FP32") == true)
        #expect((cpu["precisions"] as? [String])?.first == "f32")
        let text = try await Command.run("devices")
        #expect(text.output.contains("  <- auto"))
    }

    @Test func theTextIsForPeople() async throws {
        let run = try await Command.run("doctor", "--device", "gpu.9")
        #expect(run.status == 1)
        #expect(run.output.contains("FAIL  device-gpu.9   OpenVINO finds no GPU.9"))
        #expect(run.output.contains("ok    device-cpu"))
        #expect(run.output.hasSuffix("gpu.9 does not work: see the checks marked FAIL, from the top.\n"))
    }
}
