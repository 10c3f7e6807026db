package import Engine
internal import Foundation
package import Remedies

/// Where to search for OpenVINO.
package enum OpenVINOSearch {
    /// The version that Apus is built for and tested with.
    package static let pinnedVersion = "2026.4.1"
    package static let remedy: Remedy = """
        Run `make setup` in the Apus project (it fetches OpenVINO \(pinnedVersion)), or name a folder that holds \
        libopenvino_c.so with \(setting: .runtime) or APUS_RUNTIME.
        """

    /// Where `make setup` installs it: `$XDG_DATA_HOME/apus/runtime/openvino-<version>`.
    package static func setupFolder(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> String {
        let data =
            environment["XDG_DATA_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
            ?? (environment["HOME"] ?? NSHomeDirectory()) + "/.local/share"
        return data + "/apus/runtime/openvino-" + pinnedVersion
    }

    /// The runtime in a folder.
    ///
    /// - Parameter origin: how the folder was found, for errors and reports.
    /// - Throws: `runtimeNotFound`.
    package static func find(in folder: String, origin: String) throws(EngineError) -> RuntimeLocation {
        let folder = URL(fileURLWithPath: folder).standardizedFileURL.path
        guard let library = OpenVINOLibrary.path(in: folder) else {
            throw EngineError(
                .runtimeNotFound, doing: "find OpenVINO",
                cause: "\(folder) (\(origin)) does not contain libopenvino_c.so", remedy: remedy)
        }
        return RuntimeLocation(library: library, folder: folder, origin: origin)
    }
}
