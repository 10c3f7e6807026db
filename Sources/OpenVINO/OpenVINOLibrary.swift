internal import COpenVINO
package import Engine
internal import Foundation
package import Remedies

/// OpenVINO's C library, loaded dynamically from a folder. A process loads one version and keeps it: two would share TBB and
/// plugins of the wrong version.
package final class OpenVINOLibrary: @unchecked Sendable {  // immutable; the library is thread-safe
    /// Absolute path of the folder that contains the library and its plugins.
    package let folder: String
    /// OpenVINO's build, such as "2026.4.1-22982-…".
    package let version: String
    /// How to get a library that works.
    let remedy: Remedy

    let functions: OpenVINOFunctions
    private let handle: UnsafeMutableRawPointer
    private let modelFunctions = Locked<OpenVINOModelFunctions?>(nil)

    private static let loaded = Locked<OpenVINOLibrary?>(nil)

    /// The process's library, loaded from `folder` on first use.
    ///
    /// - Throws: `openVINOUnavailable` if it can't be loaded, `runtimeUnusable` if another one is already loaded.
    package static func load(
        from folder: String, doing: String, remedy: Remedy
    ) throws(EngineError) -> OpenVINOLibrary {
        let folder = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
        return try loaded.withLock { loaded throws(EngineError) in
            if let loaded {
                guard loaded.folder == folder else { throw loaded.conflict(with: folder, doing: doing) }
                return loaded
            }
            let library = try OpenVINOLibrary(folder: folder, doing: doing, remedy: remedy)
            loaded = library
            return library
        }
    }

    private init(folder: String, doing: String, remedy: Remedy) throws(EngineError) {
        func unavailable(_ cause: String) -> EngineError {
            EngineError(.openVINOUnavailable, doing: doing, cause: cause, remedy: remedy)
        }
        guard let path = OpenVINOLibrary.path(in: folder) else {
            throw unavailable("there is no libopenvino_c.so in \(folder)")
        }
        guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            throw unavailable(dlerror().map { String(cString: $0) } ?? "\(path) does not load")
        }
        do {
            functions = try OpenVINOFunctions(SymbolTable(handle: handle, library: path))
        } catch {
            throw unavailable("\(path) has no function \(error.name)")
        }
        self.handle = handle
        self.folder = folder
        self.remedy = remedy
        var version = ov_version_t()
        if functions.version(&version) == 0, let build = version.buildNumber {
            self.version = String(cString: build)
            functions.freeVersion(&version)
        } else {
            self.version = "unknown"
        }
    }

    /// The library's file: `libopenvino_c.so`, or with its version, as wheels name it.
    package static func path(in folder: String) -> String? {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
            .filter { $0 == "libopenvino_c.so" || $0.hasPrefix("libopenvino_c.so.") }
        return names.max { $0.compare($1, options: .numeric) == .orderedAscending }.map { folder + "/" + $0 }
    }

    /// What reading, compiling and running models needs, which older versions lack in part.
    ///
    /// - Throws: `openVINOUnavailable` with the first function that is missing.
    func forModels(doing: String) throws(EngineError) -> OpenVINOModelFunctions {
        try modelFunctions.withLock { functions throws(EngineError) in
            if let functions { return functions }
            do throws(SymbolTable.Missing) {
                let found = try OpenVINOModelFunctions(SymbolTable(handle: handle, library: folder))
                functions = found
                return found
            } catch {
                throw EngineError(
                    .openVINOUnavailable, doing: doing,
                    cause: "OpenVINO \(version) at \(folder) is too old: it has no function \(error.name)",
                    remedy: remedy)
            }
        }
    }

    private func conflict(with other: String, doing: String) -> EngineError {
        EngineError(
            .runtimeUnusable, doing: doing,
            cause: "OpenVINO \(version) from \(folder) is already loaded, and a process can use only one "
                + "(the other is in \(other))",
            remedy: "Use one runtime per process.")
    }

    /// A status other than success, with the library's message.
    struct Failure: Error {
        var status: Int32
        var message: String

        static let cancelled: Int32 = -13
        var isCancellation: Bool { status == Failure.cancelled }
    }

    /// Every call into the library that may fail goes through here.
    func check(_ status: Int32) throws(Failure) {
        guard status != 0 else { return }
        var message = functions.lastError().map { String(cString: $0) } ?? ""
        if message.isEmpty { message = functions.errorInfo(status).map { String(cString: $0) } ?? "status \(status)" }
        throw Failure(status: status, message: OpenVINOLibrary.cause(in: message))
    }

    /// Creates an object, or throws the failure.
    func make(_ create: (UnsafeMutablePointer<OpaquePointer?>) -> Int32) throws(Failure) -> OpaquePointer {
        var made: OpaquePointer?
        try check(create(&made))
        guard let made else { throw Failure(status: 0, message: "the library returned nothing") }
        return made
    }

    /// The reason in a message whose other lines are places in OpenVINO's source, such as
    /// "Exception from src/inference/src/cpp/core.cpp:152:" or "Check 'node' failed at src/frontends/onnx/…:".
    static func cause(in message: String) -> String {
        let lines = message.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
        let reasons = lines.filter { line in
            !line.isEmpty && !line.hasPrefix("Exception from ")
                && !(line.hasPrefix("Check '") && line.contains("failed at src/"))
        }
        return (reasons.isEmpty ? lines : reasons).joined(separator: " ")
    }
}
