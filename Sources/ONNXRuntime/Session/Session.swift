internal import COnnxRuntime
package import Engine
internal import Foundation
internal import Remedies

/// A model, loaded and compiled for a provider. Runs may be started from many threads at once.
package final class Session: EngineSession, @unchecked Sendable {  // immutable; OrtSession's Run is thread-safe
    package let runtime: Runtime
    package let target: ExecutionTarget
    package let inputs: [ValueInfo]
    package let outputs: [ValueInfo]
    /// The model's own key/value metadata.
    package let metadata: [String: String]
    /// The program that wrote the model, as recorded in it.
    package let producer: String
    /// How many nodes each provider took; nil if the runtime is too old to report it.
    package let assignments: [NodeAssignment]?
    package var engine: any Engine { runtime }
    package var nodes: [String: Int]? {
        assignments.map { Dictionary($0.map { ($0.provider, $0.nodes) }, uniquingKeysWith: +) }
    }
    package var providerName: String {
        switch target {
        case .ownKernels: "CPUExecutionProvider"
        case .openVINO: "OpenVINOExecutionProvider"
        }
    }
    /// The device that the OpenVINO provider reports; nil on ONNX Runtime's own CPU provider.
    package let openVINODevice: String?
    /// Inputs with a default value in the model, which a run may omit.
    package let overridableInputs: [String]

    let handle: OpaquePointer
    let cpuMemory: OpaquePointer

    /// Loads and compiles a model.
    ///
    /// - Throws: `providerUnavailable`, `deviceUnavailable`, `modelUnreadable`, `notOnProvider` or `sessionFailed`.
    package init(runtime: Runtime, model: ModelSource, options: SessionOptions) throws(EngineError) {
        let api = runtime.api
        let doing = "load \(model.name)"
        try model.requireReadable(doing: doing)
        let mark = runtime.log.mark()
        let handle: OpaquePointer
        var chosenDevice: String?
        do {
            let made = try api.make { OrtCreateSessionOptions(api.table, $0) }
            defer { OrtReleaseSessionOptions(api.table, made) }
            try api.apply(options, to: made)
            if case .openVINO(let device, let precision) = options.target {
                let openVINO = try OpenVINOOptions(device: device, precision: precision)
                try runtime.append(
                    options.cacheFolder.map { openVINO.caching(in: $0) } ?? openVINO, to: made, doing: doing)
                chosenDevice = runtime.chosenDevice(since: mark)
            }
            handle = try api.make { api.createSession(runtime.environment, model, made, $0) }
        } catch let failure as API.Failure {
            let log = runtime.log.lines(since: mark, atLeast: LogRecorder.warning)
            throw Session.error(failure, doing: doing, log: log)
        } catch let error as EngineError {
            throw error
        } catch {
            throw EngineError(.sessionFailed, doing: doing, cause: "\(error)")
        }
        do {
            self.inputs = try api.inputs(of: handle)
            self.outputs = try api.outputs(of: handle)
            self.overridableInputs = try api.overridableInputs(of: handle)
            (self.producer, self.metadata) = try api.metadata(of: handle)
            self.assignments = try api.nodeAssignments(handle)
            self.cpuMemory = try api.make { OrtCreateCpuMemoryInfo(api.table, 1, 0, $0) }  // arena, default
        } catch {
            OrtReleaseSession(api.table, handle)
            throw EngineError(
                .sessionFailed, doing: doing, cause: error.message, remedy: "Export the model again.")
        }
        self.runtime = runtime
        self.target = options.target
        self.openVINODevice = chosenDevice
        self.handle = handle
        try requireChosenDevice(doing: doing)
    }

    /// - Throws: `notOnProvider` if the provider reports another device than the requested one.
    private func requireChosenDevice(doing: String) throws(EngineError) {
        guard case .openVINO(let named, _) = target, let openVINODevice, !CatalogDevice.isSame(openVINODevice, named)
        else { return }
        throw EngineError(
            .notOnProvider, doing: doing, cause: "\(named) was requested, but OpenVINO chose \(openVINODevice)",
            remedy: "Choose another device, or use a runtime of the version that Apus is tested with.")
    }

    deinit {
        OrtReleaseMemoryInfo(runtime.api.table, cpuMemory)
        OrtReleaseSession(runtime.api.table, handle)
    }

    /// Ends profiling and returns the path of the profile.
    package func endProfiling() throws(EngineError) -> String {
        do {
            return try runtime.api.text { OrtSessionEndProfiling(runtime.api.table, handle, $0, $1) }
        } catch {
            throw EngineError(.runFailed, doing: "write the profile", cause: error.message)
        }
    }

    /// The file named in a message, as in "[/models/external.data]" or "data_full_path: external.data,".
    private static func quotedPath(in text: String) -> String? {
        if let match = text.firstMatch(of: /\[(\/[^\]]+)\]/) { return String(match.1) }
        if let match = text.firstMatch(of: /data_full_path: ([^,]+),/) { return String(match.1) }
        return nil
    }

    private static func error(
        _ failure: API.Failure, doing: String, log: [String]
    ) -> EngineError {
        let text = failure.message
        func make(_ code: EngineError.Code, _ cause: String, _ remedy: Remedy?) -> EngineError {
            EngineError(code, doing: doing, cause: cause, remedy: remedy, log: log)
        }
        if failure.code == API.StatusCode.invalidProtobuf || text.contains("ModelProto does not have a graph") {
            return make(
                .modelUnreadable, "it is not an ONNX model, or it is incomplete",
                "Use an .onnx file. If it should be one, its download or copy may be incomplete.")
        }
        if text.contains("fallback to CPU EP has been explicitly disabled") {
            return make(
                .notOnProvider,
                "OpenVINO did not take the whole model, and Apus never silently runs the rest on the CPU",
                "The model has an operator that OpenVINO lacks, or is too trivial for it to take. "
                    + "To run all of it on ONNX Runtime's own CPU kernels, use \(setting: .provider, "cpu").")
        }
        if text.lowercased().contains("external data") || text.contains("cannot get file size") {
            return make(
                .modelUnreadable,
                "its weights are in a separate file that is missing or too short"
                    + (Session.quotedPath(in: text).map { " (\($0))" } ?? ""),
                "Put the external data file next to the model, under its original name.")
        }
        return make(
            .sessionFailed, ([text] + log.filter { !text.contains($0) }).joined(separator: "; "),
            "Try \(setting: .provider, "cpu"), which runs the model without OpenVINO: if it fails there too, export the model again."
        )
    }
}

extension API {
    fileprivate func apply(_ options: SessionOptions, to made: OpaquePointer) throws(Failure) {
        try check(OrtSetSessionLogSeverityLevel(table, made, LogRecorder.warning))
        try check(OrtSetSessionGraphOptimizationLevel(table, made, options.isOptimized ? 99 : 0))  // all, none
        if !options.isOptimized {
            // Packing copies the weights. The sequential executor plans which tensors may share memory, in time quadratic in the
            // nodes (half a second for a traced DETR); the parallel one doesn't. Threads that spin between nodes would slow down
            // concurrent work.
            try check(OrtAddSessionConfigEntry(table, made, "session.disable_prepacking", "1"))
            try check(OrtSetSessionExecutionMode(table, made, 1))  // parallel
            try check(OrtAddSessionConfigEntry(table, made, "session.inter_op.allow_spinning", "0"))
            try check(OrtAddSessionConfigEntry(table, made, "session.intra_op.allow_spinning", "0"))
        }
        if let folder = options.weightsFolder {
            try check(
                OrtAddSessionConfigEntry(table, made, "session.model_external_initializers_file_folder_path", folder))
        }
        if let threads = options.threads { try check(OrtSetIntraOpNumThreads(table, made, Int32(clamping: threads))) }
        if let prefix = options.profilePrefix { try check(OrtEnableProfiling(table, made, prefix)) }
        for (name, size) in options.dimensions {
            try check(OrtAddFreeDimensionOverrideByName(table, made, name, Int64(size)))
        }
        try check(OrtAddSessionConfigEntry(table, made, "session.record_ep_graph_assignment_info", "1"))
        if case .openVINO = options.target {
            try check(OrtAddSessionConfigEntry(table, made, "session.disable_cpu_ep_fallback", "1"))
        }
    }

    fileprivate func createSession(
        _ environment: OpaquePointer, _ model: ModelSource, _ options: OpaquePointer,
        _ out: UnsafeMutablePointer<OpaquePointer?>
    ) -> OpaquePointer? {
        switch model {
        case .file(let path):
            OrtCreateSession(table, environment, path, options, out)
        case .bytes(let bytes):
            bytes.withUnsafeBytes {
                OrtCreateSessionFromArray(table, environment, $0.baseAddress, $0.count, options, out)
            }
        case .embedded(_, let bytes):
            OrtCreateSessionFromArray(table, environment, bytes().baseAddress, bytes().count, options, out)
        }
    }

    fileprivate func inputs(of session: OpaquePointer) throws(Failure) -> [ValueInfo] {
        var inputs: [ValueInfo] = []
        for index in 0..<(try count { OrtSessionGetInputCount(table, session, $0) }) {
            let name = try text { OrtSessionGetInputName(table, session, index, $0, $1) }
            inputs.append(
                try valueInfo(name: name, type: try make { OrtSessionGetInputTypeInfo(table, session, index, $0) }))
        }
        return inputs
    }

    fileprivate func outputs(of session: OpaquePointer) throws(Failure) -> [ValueInfo] {
        var outputs: [ValueInfo] = []
        for index in 0..<(try count { OrtSessionGetOutputCount(table, session, $0) }) {
            let name = try text { OrtSessionGetOutputName(table, session, index, $0, $1) }
            outputs.append(
                try valueInfo(name: name, type: try make { OrtSessionGetOutputTypeInfo(table, session, index, $0) }))
        }
        return outputs
    }

    fileprivate func overridableInputs(of session: OpaquePointer) throws(Failure) -> [String] {
        var names: [String] = []
        for index in 0..<(try count { OrtSessionGetOverridableInitializerCount(table, session, $0) }) {
            names.append(try text { OrtSessionGetOverridableInitializerName(table, session, index, $0, $1) })
        }
        return names
    }

    fileprivate func metadata(of session: OpaquePointer) throws(Failure) -> (String, [String: String]) {
        let metadata = try make { OrtSessionGetModelMetadata(table, session, $0) }
        defer { OrtReleaseModelMetadata(table, metadata) }
        let allocator = try defaultAllocator()
        var keys: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        var keyCount: Int64 = 0
        try check(OrtModelMetadataGetCustomMetadataMapKeys(table, metadata, allocator, &keys, &keyCount))
        var entries: [String: String] = [:]
        defer { if let keys { free(keys, allocator: allocator) } }
        for index in 0..<Int(keyCount) {
            guard let key = keys?[index] else { continue }
            defer { free(key, allocator: allocator) }
            entries[String(cString: key)] = try text {
                OrtModelMetadataLookupCustomMetadataMap(table, metadata, $0, key, $1)
            }
        }
        return (try text { OrtModelMetadataGetProducerName(table, metadata, $0, $1) }, entries)
    }
}
