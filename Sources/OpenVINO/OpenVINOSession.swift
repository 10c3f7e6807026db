internal import COpenVINO
package import Engine
internal import Foundation
internal import ONNX
internal import Remedies

/// A model that OpenVINO compiled for one device. Runs may be started from many threads: each has an infer request of its own.
package final class OpenVINOSession: EngineSession, @unchecked Sendable {  // ov::CompiledModel is thread-safe
    package var engine: any Engine { openVINO }
    package let target: ExecutionTarget
    package let inputs: [ValueInfo]
    package let outputs: [ValueInfo]
    package let metadata: [String: String]
    package let providerName = "OpenVINO"
    package let openVINODevice: String?
    /// OpenVINO doesn't count nodes: it takes the whole model or none of it.
    package var nodes: [String: Int]? { nil }

    let openVINO: OpenVINOEngine
    let functions: OpenVINOModelFunctions
    let compiled: OpaquePointer
    /// Infer requests that no run uses. Each holds the memory of a run.
    let idleRequests = Locked<[OpaquePointer]>([])

    /// Reads and compiles a model.
    ///
    /// - Throws: `invalidOption`, `deviceUnavailable`, `modelUnreadable` or `sessionFailed`.
    init(_ engine: OpenVINOEngine, _ source: ModelSource, _ options: SessionOptions) throws(EngineError) {
        let doing = "load \(source.name)"
        guard case .openVINO(let device, let precision) = options.target else {
            throw EngineError(
                .invalidOption, doing: doing, cause: "OpenVINO has no kernels besides those of its devices",
                remedy: "Use ONNX Runtime for its own CPU kernels: \(setting: .provider, "cpu").")
        }
        try precision.require(on: device)
        if device != "CPU" { try engine.core.require(device, doing: doing) }
        try source.requireReadable(doing: doing)
        let library = engine.core.library
        let functions = try library.forModels(doing: doing)
        let declaration = try ModelDeclaration(source, doing: doing)
        let model: OpaquePointer
        do {
            model = try engine.core.read(source, functions)
        } catch {
            throw OpenVINOSession.unreadable(error, doing: doing)
        }
        defer { functions.freeModel(model) }
        let compiled: OpaquePointer
        do {
            try library.reshape(model, functions, to: declaration.shapes(fixing: options.dimensions))
            compiled = try engine.core.compile(model, functions, device, OpenVINOSession.properties(precision, options))
        } catch {
            throw OpenVINOSession.failed(error, doing: doing, device: device)
        }
        do {
            inputs = declaration.named(
                try library.values(functions.inputCount, functions.input, of: compiled, functions), declaration.inputs)
            outputs = declaration.named(
                try library.values(functions.outputCount, functions.output, of: compiled, functions),
                declaration.outputs)
        } catch {
            functions.freeCompiled(compiled)
            throw OpenVINOSession.failed(error, doing: doing, device: device)
        }
        self.openVINO = engine
        self.functions = functions
        self.compiled = compiled
        target = options.target
        metadata = declaration.metadata
        openVINODevice = library.property("EXECUTION_DEVICES", of: compiled, functions) ?? device
    }

    deinit {
        for request in idleRequests.withLock({ $0 }) { functions.freeRequest(request) }
        functions.freeCompiled(compiled)
    }

    /// A property of the compiled model, such as INFERENCE_PRECISION_HINT; nil if the device doesn't have it.
    package func property(_ key: String) -> String? { openVINO.core.library.property(key, of: compiled, functions) }

    private static func properties(_ precision: ComputePrecision, _ options: SessionOptions) -> [(String, String)] {
        var properties = [
            ("INFERENCE_PRECISION_HINT", precision.rawValue),
            // One image at a time, with all cores.
            ("PERFORMANCE_HINT", "LATENCY"),
        ]
        if let threads = options.threads { properties.append(("INFERENCE_NUM_THREADS", "\(threads)")) }
        if let folder = options.cacheFolder { properties.append(("CACHE_DIR", folder)) }
        if options.reportsLayers { properties.append(("PERF_COUNT", "YES")) }
        return properties
    }

    private static func unreadable(_ failure: OpenVINOLibrary.Failure, doing: String) -> EngineError {
        // The reader, not the compiler, names operators that OpenVINO lacks.
        let isUnsupported = ["not support", "No conversion rule"].contains { failure.message.contains($0) }
        return EngineError(
            isUnsupported ? .sessionFailed : .modelUnreadable, doing: doing, cause: failure.message,
            remedy: isUnsupported
                ? "Try ONNX Runtime's own CPU kernels: \(setting: .provider, "cpu")."
                : "Use an ONNX, OpenVINO IR, TensorFlow, TensorFlow Lite or Paddle model. If it is one, its download or copy may "
                    + "be incomplete.")
    }

    private static func failed(_ failure: OpenVINOLibrary.Failure, doing: String, device: String) -> EngineError {
        EngineError(
            .sessionFailed, doing: doing, cause: "OpenVINO can't compile it for \(device): \(failure.message)",
            remedy: "Try ONNX Runtime's own CPU kernels: \(setting: .provider, "cpu").")
    }
}

extension OpenVINOCore {
    fileprivate func read(
        _ source: ModelSource, _ functions: OpenVINOModelFunctions
    ) throws(OpenVINOLibrary.Failure) -> OpaquePointer {
        func memory(_ bytes: UnsafeRawBufferPointer) throws(OpenVINOLibrary.Failure) -> OpaquePointer {
            try library.make {
                functions.readMemory(handle, bytes.bindMemory(to: CChar.self).baseAddress, bytes.count, nil, $0)
            }
        }
        switch source {
        case .file(let path): return try library.make { functions.read(handle, path, nil, $0) }
        case .embedded(_, let bytes): return try memory(bytes())
        case .bytes(let bytes):
            return try bytes.withUnsafeBufferPointer { bytes throws(OpenVINOLibrary.Failure) in
                try memory(UnsafeRawBufferPointer(bytes))
            }
        }
    }

    fileprivate func compile(
        _ model: OpaquePointer, _ functions: OpenVINOModelFunctions, _ device: String, _ properties: [(String, String)]
    ) throws(OpenVINOLibrary.Failure) -> OpaquePointer {
        let texts = properties.map { (strdup($0), strdup($1)) }
        defer {
            for (key, value) in texts {
                free(key)
                free(value)
            }
        }
        let list = texts.map { ov_property_t(key: $0, value: $1) }
        return try library.make { functions.compile(handle, model, device, list.count, list, $0) }
    }
}

extension OpenVINOLibrary {
    fileprivate func property(_ key: String, of compiled: OpaquePointer, _ model: OpenVINOModelFunctions) -> String? {
        var value: UnsafeMutablePointer<CChar>?
        guard model.compiledProperty(compiled, key, &value) == 0, let value else { return nil }
        defer { functions.freeText(value) }
        return String(cString: value)
    }

    /// Gives inputs new shapes; inputs that aren't named keep theirs.
    fileprivate func reshape(
        _ model: OpaquePointer, _ functions: OpenVINOModelFunctions, to shapes: [(name: String, shape: [Int?])]
    ) throws(Failure) {
        guard !shapes.isEmpty else { return }
        var names = shapes.map { strdup($0.name).map { UnsafePointer($0) } }
        // Nil is any size.
        var dimensions = shapes.flatMap { _, shape in
            shape.map { ov_dimension_t(min: Int64($0 ?? 0), max: Int64($0 ?? -1)) }
        }
        defer { for name in names { free(UnsafeMutablePointer(mutating: name)) } }
        let status = dimensions.withUnsafeMutableBufferPointer { dimensions in
            var offset = 0
            let partial = shapes.map { _, shape in
                defer { offset += shape.count }
                let rank = ov_rank_t(min: Int64(shape.count), max: Int64(shape.count))
                return ov_partial_shape_t(rank: rank, dims: dimensions.baseAddress.map { $0 + offset })
            }
            return functions.reshape(model, &names, partial, names.count)
        }
        try check(status)
    }

    /// The inputs or outputs of a compiled model, by OpenVINO's names for them.
    fileprivate func values(
        _ count: ov_compiled_model_inputs_size_t, _ portAt: ov_compiled_model_input_by_index_t,
        of compiled: OpaquePointer,
        _ model: OpenVINOModelFunctions
    ) throws(Failure) -> [ValueInfo] {
        var size = 0
        try check(count(compiled, &size))
        return try (0..<size).map { index throws(Failure) in
            let port = try make { portAt(compiled, index, $0) }
            defer { model.freePort(port) }
            var name: UnsafeMutablePointer<CChar>?
            // An output of some formats has no name.
            let hasName = model.portName(port, &name) == 0
            defer { if let name { functions.freeText(name) } }
            var type: UInt32 = 0
            try check(model.portType(port, &type))
            var shape = ov_partial_shape_t()
            try check(model.portShape(port, &shape))
            defer { model.freePartialShape(&shape) }
            // A dynamic rank has no dimensions.
            let rank = shape.rank.min == shape.rank.max ? Int(shape.rank.max) : 0
            return ValueInfo(
                name: hasName ? name.map { String(cString: $0) } ?? "" : "output \(index)",
                elementType: ElementType(openVINOType: type),
                dimensions: (0..<rank).map {
                    let dimension = shape.dims[$0]
                    return dimension.min == dimension.max ? .fixed(Int(dimension.max)) : .dynamic(nil)
                })
        }
    }
}
