internal import COnnxRuntime
package import Engine
internal import Foundation
internal import OpenVINO
internal import Remedies

/// ONNX Runtime, loaded dynamically from a folder. A process loads one and keeps it.
package final class Runtime: Engine, @unchecked Sendable {  // immutable; the runtime's environment is thread-safe
    package let name = "ONNX Runtime"
    package let location: RuntimeLocation
    /// The version that the library reports, such as "1.24.1".
    package let version: String
    /// The execution providers that this build of the library supports, whether or not their libraries are installed.
    package let providers: [String]

    let api: API
    let environment: OpaquePointer
    let log: LogRecorder
    private let openVINOCore = Locked<OpenVINOCore?>(nil)

    private static let loaded = Locked<Runtime?>(nil)

    /// The process's runtime, loaded from `location` on first use.
    ///
    /// - Throws: `runtimeUnusable` if it does not load, is older than API 21, or another folder's is already loaded.
    package static func load(_ location: RuntimeLocation) throws(EngineError) -> Runtime {
        try loaded.withLock { current throws(EngineError) in
            if let current {
                guard current.location.library == location.library else {
                    throw EngineError(
                        .runtimeUnusable, doing: "load ONNX Runtime from \(location.library)",
                        cause: "this process already uses \(current.location.library)",
                        remedy: "A process can load only one runtime: use the same folder throughout.")
                }
                return current
            }
            let runtime = try Runtime(location)
            current = runtime
            return runtime
        }
    }

    private init(_ location: RuntimeLocation) throws(EngineError) {
        let doing = "load ONNX Runtime from \(location.library)"
        func unusable(_ cause: String, _ remedy: Remedy = RuntimeSearch.remedy) -> EngineError {
            EngineError(.runtimeUnusable, doing: doing, cause: cause, remedy: remedy)
        }
        // Never closed: the runtime and its plugins leave threads and exit handlers behind.
        guard let handle = dlopen(location.library, RTLD_NOW | RTLD_LOCAL) else {
            throw unusable(dlerror().map { String(cString: $0) } ?? "dlopen failed")
        }
        guard let symbol = dlsym(handle, "OrtGetApiBase"),
            let base = unsafeBitCast(symbol, to: OrtGetBase.self)()?.pointee,
            let version = base.GetVersionString().map({ String(cString: $0) })
        else {
            throw unusable("it does not export OrtGetApiBase: it is not ONNX Runtime")
        }
        let parts = version.split(separator: ".").compactMap { Int($0) }
        let tableVersion = min(parts.count > 1 && parts[0] == 1 ? parts[1] : 0, API.nodeAssignmentVersion)
        guard tableVersion >= API.oldestVersion, let table = base.GetApi(UInt32(tableVersion)) else {
            throw unusable("it is version \(version); Apus needs 1.\(API.oldestVersion) or later")
        }
        let api = API(table: table, version: tableVersion)
        let log = LogRecorder()
        do throws(API.Failure) {
            // Informational lines are needed too: in one of them the provider names the device it chose.
            let environment = try api.make {
                // Retained forever, like the environment: it may log at any time.
                OrtCreateEnvWithCustomLogger(
                    table, LogRecorder.callback, Unmanaged.passRetained(log).toOpaque(), LogRecorder.info, "apus", $0)
            }
            try api.check(OrtDisableTelemetryEvents(table, environment))
            self.environment = environment
            self.providers = try Runtime.availableProviders(api)
        } catch {
            throw unusable(error.message)
        }
        self.location = location
        self.version = version
        self.api = api
        self.log = log
    }

    /// OpenVINO's list of devices. Made on first use, because it loads every device plugin.
    package func openVINO(doing: String) throws(EngineError) -> any DeviceCatalog {
        try requireOpenVINO(doing: doing)
        return try openVINOCore.withLock { core throws(EngineError) in
            if let core { return core }
            let made = try OpenVINOCore(
                .load(from: location.folder, doing: "list OpenVINO's devices", remedy: RuntimeSearch.remedy))
            core = made
            return made
        }
    }

    package func makeSession(of model: ModelSource, options: SessionOptions) throws(EngineError) -> any EngineSession {
        try Session(runtime: self, model: model, options: options)
    }

    private static func availableProviders(_ api: API) throws(API.Failure) -> [String] {
        var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        var count: Int32 = 0
        try api.check(OrtGetAvailableProviders(api.table, &names, &count))
        guard let names else { return [] }
        let providers = (0..<Int(count)).compactMap { names[$0].map { String(cString: $0) } }
        try api.check(OrtReleaseAvailableProviders(api.table, names, count))
        return providers
    }
}
