internal import Foundation
package import Remedies

/// Examines a folder that should hold ONNX Runtime and OpenVINO, without loading anything from it.
package struct RuntimeExamination: Sendable {
    private let folder: String
    /// The path of libonnxruntime.
    private let library: String
    private let target: DoctorTarget
    private let pinnedVersion: String
    private let remedy: Remedy
    private let cache: LibraryCache
    private let libraryPath: String?

    /// - Parameters:
    ///   - pinnedVersion: the version of ONNX Runtime that Apus is tested with.
    ///   - remedy: how to get a complete runtime.
    package init(
        folder: String, library: String, target: DoctorTarget, pinnedVersion: String, remedy: Remedy,
        cache: LibraryCache = .system,
        libraryPath: String? = ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"]
    ) {
        self.folder = folder
        self.library = library
        self.target = target
        self.pinnedVersion = pinnedVersion
        self.remedy = remedy
        self.cache = cache
        self.libraryPath = libraryPath
    }

    /// Whether the folder holds any part of OpenVINO.
    package var hasOpenVINO: Bool { has("libonnxruntime_providers_openvino.so") || has("libopenvino.so") }

    package func findings() -> [Finding] {
        guard hasOpenVINO else {
            return [withoutOpenVINO()] + libraries()
        }
        return [files()] + [versions()].compactMap { $0 } + libraries()
    }

    // MARK: Files

    /// The libraries that OpenVINO consists of, by the start of their names, and what each is for.
    private var wanted: [(name: String, purpose: String, isNeeded: Bool)] {
        [
            ("libonnxruntime_providers_shared.so", "ONNX Runtime loads every provider through it", true),
            ("libonnxruntime_providers_openvino.so", "the OpenVINO provider", true),
            ("libopenvino.so.", "OpenVINO", true),
            ("libopenvino_c.so", "OpenVINO's list of devices", true),
            ("libopenvino_onnx_frontend.so.", "OpenVINO's reader of models", true),
            ("libtbb.so.12", "OpenVINO's threads", true),
            ("libopenvino_intel_cpu_plugin.so", "the CPU", target != .gpu && target != .npu),
            ("libopenvino_intel_gpu_plugin.so", "Intel GPUs", target == .gpu),
            ("libopenvino_intel_npu_plugin.so", "Intel NPUs", target == .npu),
        ]
    }

    /// The names of existing files; dangling links are left out.
    private var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
            .filter { FileManager.default.fileExists(atPath: "\(folder)/\($0)") }
    }

    private func has(_ prefix: String) -> Bool { names.contains { $0.hasPrefix(prefix) } }

    private func withoutOpenVINO() -> Finding {
        Finding(
            "runtime-files", target == .cpu ? .warn : .fail,
            "\(folder) holds ONNX Runtime without OpenVINO: only its own CPU kernels can run", remedy: remedy)
    }

    private func files() -> Finding {
        let missing = wanted.filter { !has($0.name) && !($0.name == "libtbb.so.12" && cache.path(of: $0.name) != nil) }
        guard !missing.isEmpty else {
            return Finding(
                "runtime-files", .pass,
                "\(folder) is complete (\(names.count(where: { $0.contains(".so") })) libraries)")
        }
        let list = missing.map { "\($0.name.trimmingSuffix(".")) (\($0.purpose))" }.joined(separator: ", ")
        return Finding(
            "runtime-files", missing.contains(where: \.isNeeded) ? .fail : .warn, "\(folder) lacks \(list)",
            remedy: remedy)
    }

    // MARK: Versions

    private func versions() -> Finding? {
        guard let own = try? ELFFile(library) else { return nil }  // the check of libraries reports why
        let version = own.definedVersions.first { $0.hasPrefix("VERS_") }.map { String($0.dropFirst(5)) } ?? "unknown"
        let provider = text(in: "libonnxruntime_providers_openvino.so", after: "onnxruntime-openvino-ep-")
        // All parts name the OpenVINO that they were built for: libopenvino.so.2541 is 2025.4.1.
        var builds: [String: [String]] = [:]
        for name in names.sorted() where name.contains(".so") {
            let path = "\(folder)/\(name)"
            guard (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) == nil,
                let file = try? ELFFile(path),
                let build = (file.needed + [file.soname].compactMap { $0 }).first(where: {
                    $0.hasPrefix("libopenvino.so.")
                })
            else { continue }
            builds[String(build.dropFirst("libopenvino.so.".count)), default: []].append(name)
        }
        if builds.count > 1 {
            let list = builds.sorted { $0.key < $1.key }
                .map { "\($0.key): \($0.value.joined(separator: ", "))" }.joined(separator: "; ")
            return Finding(
                "versions", .fail, "the folder mixes parts of different OpenVINO versions (\(list))", remedy: remedy)
        }
        let openVINO = builds.keys.first.map { ", OpenVINO \(RuntimeExamination.release($0))" } ?? ""
        if let provider, provider != version {
            return Finding(
                "versions", .fail,
                "libonnxruntime is version \(version), but its OpenVINO provider was built for \(provider)",
                remedy: remedy)
        }
        let summary = "ONNX Runtime \(version)\(openVINO)"
        return version == pinnedVersion
            ? Finding(
                "versions", .pass,
                provider == nil
                    ? "\(summary); the provider does not state which version it was built for"
                    : "\(summary), which match")
            : Finding(
                "versions", .warn, "\(summary); Apus is tested with ONNX Runtime \(pinnedVersion)", remedy: remedy)
    }

    /// From "2541" to "2025.4.1".
    static func release(_ build: String) -> String {
        guard build.count == 4, let year = Int(build.prefix(2)) else { return build }
        let rest = Array(build.dropFirst(2))
        return "\(2000 + year).\(rest[0]).\(rest[1])"
    }

    /// The text that follows a marker in a file, up to the first byte that can't be part of a version.
    private func text(in name: String, after marker: String) -> String? {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)"), options: .alwaysMapped),
            let found = data.range(of: Data(marker.utf8))
        else { return nil }
        let digits = data[found.upperBound...].prefix { $0 == 0x2e || (0x30...0x39).contains($0) }
        return digits.isEmpty ? nil : String(decoding: digits, as: UTF8.self)
    }

    // MARK: Libraries

    /// Each part that is loaded separately, with its dependencies.
    private func libraries() -> [Finding] {
        var walk = LibraryWalk(cache: cache, libraryPath: libraryPath)
        let isCPU = target != .gpu && target != .npu
        let parts: [(check: String, files: [String], isNeeded: Bool)] = [
            (
                "libraries",
                [
                    library, "libonnxruntime_providers_shared.so", "libonnxruntime_providers_openvino.so",
                    "libopenvino_c.so",
                ], true
            ),
            ("cpu-plugin", ["libopenvino_intel_cpu_plugin.so"], isCPU),
            ("gpu-plugin", ["libopenvino_intel_gpu_plugin.so"], target == .gpu),
            ("npu-plugin", ["libopenvino_intel_npu_plugin.so"], target == .npu),
        ]
        return parts.compactMap { part in
            let files = part.files.map { $0.hasPrefix("/") ? $0 : "\(folder)/\($0)" }
                .filter { FileManager.default.fileExists(atPath: $0) }
            guard !files.isEmpty else { return nil }
            var problems: [LibraryWalk.Problem] = []
            for file in files {
                for problem in walk.add(file) where !problems.contains(problem) { problems.append(problem) }
            }
            let name = URL(fileURLWithPath: files[0]).lastPathComponent
            guard !problems.isEmpty else {
                return Finding(part.check, .pass, "\(name) and its dependencies are present")
            }
            return Finding(
                part.check, part.isNeeded ? .fail : .warn, problems.map(\.text).joined(separator: "; "),
                remedy: remedies(problems))
        }
    }

    private func remedies(_ problems: [LibraryWalk.Problem]) -> Remedy? {
        var remedies: [Remedy] = []
        for problem in problems {
            let remedy: Remedy =
                switch problem {
                case .missing("libOpenCL.so.1", _): "sudo apt-get install ocl-icd-libopencl1"
                case .missing("libz.so.1", _): "sudo apt-get install zlib1g"
                case .missing("libstdc++.so.6", _): "sudo apt-get install libstdc++6"
                case .missing("libgcc_s.so.1", _): "sudo apt-get install libgcc-s1"
                case .missingVersion:
                    "Use a newer distribution (glibc 2.28 and GCC 8 or later): Debian 12, Ubuntu 22.04."
                case .missing, .unusable, .undefinedSymbols: self.remedy
                }
            if !remedies.contains(remedy) { remedies.append(remedy) }
        }
        guard let first = remedies.first else { return nil }
        return remedies.dropFirst().reduce(first) { $0 + "\n" + $1 }
    }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: String) -> String {
        hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
    }
}
