package import Engine
internal import Foundation
package import Remedies

/// Where to search for ONNX Runtime.
package enum RuntimeSearch {
    /// The runtime that this version is built for and tested with.
    package static let pinnedVersion = "1.24.1"
    package static let remedy: Remedy = """
        Run `make setup` in the Apus project (it fetches ONNX Runtime \(pinnedVersion) with OpenVINO), or name a folder that \
        holds libonnxruntime.so with \(setting: .runtime) or APUS_RUNTIME.
        """

    /// Finds the runtime: an explicit path, then `APUS_RUNTIME`, then next to the executable, then where setup installs it.
    ///
    /// An explicit path must hold the runtime: otherwise it is an error, and the search does not continue.
    package static func find(
        explicit: String? = nil, environment: [String: String] = ProcessInfo.processInfo.environment,
        executable: String? = Bundle.main.executablePath
    ) throws(EngineError) -> RuntimeLocation {
        if let explicit { return try named(explicit, origin: "the runtime option") }
        if let path = environment["APUS_RUNTIME"], !path.isEmpty { return try named(path, origin: "APUS_RUNTIME") }
        var searched: [String] = []
        var candidates: [(String, String)] = []
        if let executable {
            let beside = URL(fileURLWithPath: executable).resolvingSymlinksInPath().deletingLastPathComponent()
            for path in [".", "runtime", "../lib/apus"] {
                candidates.append(
                    (beside.appendingPathComponent(path).standardizedFileURL.path, "next to the executable"))
            }
        }
        candidates.append((setupFolder(environment: environment), "installed by setup"))
        for (folder, origin) in candidates {
            if let library = library(in: folder) {
                return RuntimeLocation(library: library, folder: folder, origin: origin)
            }
            searched.append(folder)
        }
        throw EngineError(
            .runtimeNotFound, doing: "find ONNX Runtime",
            cause: "there is no libonnxruntime.so in " + searched.joined(separator: ", "), remedy: remedy)
    }

    /// Where `make setup` installs the runtime: `$XDG_DATA_HOME/apus/runtime/<version>`.
    package static func setupFolder(environment: [String: String]) -> String {
        let data: String
        if let path = environment["XDG_DATA_HOME"], path.hasPrefix("/") {
            data = path
        } else {
            data = (environment["HOME"] ?? NSHomeDirectory()) + "/.local/share"
        }
        return data + "/apus/runtime/" + pinnedVersion
    }

    private static func named(_ path: String, origin: String) throws(EngineError) -> RuntimeLocation {
        let url = URL(fileURLWithPath: path).standardizedFileURL
        var isFolder: ObjCBool = false
        let doing = "find ONNX Runtime"
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
            throw EngineError(
                .runtimeNotFound, doing: doing, cause: "\(origin) is set to \(path), which does not exist",
                remedy: remedy)
        }
        guard isFolder.boolValue else {
            return RuntimeLocation(library: url.path, folder: url.deletingLastPathComponent().path, origin: origin)
        }
        guard let library = library(in: url.path) else {
            throw EngineError(
                .runtimeNotFound, doing: doing,
                cause: "\(origin) is set to \(path), which does not contain libonnxruntime.so",
                remedy: remedy)
        }
        return RuntimeLocation(library: library, folder: url.path, origin: origin)
    }

    private static func library(in folder: String) -> String? {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
            .filter { $0 == "libonnxruntime.so" || $0.hasPrefix("libonnxruntime.so.") }
        return names.max { $0.compare($1, options: .numeric) == .orderedAscending }.map { folder + "/" + $0 }
    }
}
