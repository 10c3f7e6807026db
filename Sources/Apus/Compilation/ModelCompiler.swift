internal import Foundation
internal import ONNXRuntime

/// Makes sessions of one model on one device, out of the cache where there is one.
struct ModelCompiler: Sendable {
    /// A session, and how it came to be.
    struct Compiled: Sendable {
        var session: Session
        /// Nil for the shape that the model itself has.
        var canvas: Canvas?
        var origin: CompiledModelStore.Origin
        var note: String?
        var duration: Duration
    }

    let runtime: Runtime
    let model: Model
    let choice: DeviceChoice
    /// Nil if nothing is kept, which `cacheReason` explains.
    let store: CompiledModelStore?
    let cacheReason: String
    let key: CompiledModelStore.Key
    let padding: PaddedShapes?

    init(
        _ configuration: Detector.Configuration, runtime: Runtime, model: Model, choice: DeviceChoice,
        padding: PaddedShapes?
    ) throws(ApusError) {
        self.runtime = runtime
        self.model = model
        self.choice = choice
        self.padding = padding
        key = try ModelCompiler.key(model, choice, runtime)
        switch (choice.provider, configuration.cache) {
        case (.cpu, _): (store, cacheReason) = (nil, "ONNX Runtime's own kernels are not compiled")
        // Measured with DETR-R50: 1.4 s to load with and without.
        case (.openVINO, _) where choice.device == "CPU": (store, cacheReason) = (nil, "the CPU gains nothing by it")
        case (_, .off): (store, cacheReason) = (nil, "turned off")
        case (_, let cache):
            store = cache.path.map { CompiledModelStore(folder: $0) }
            cacheReason = cache.path ?? ""
        }
    }

    /// What a compiled model and a verdict on it depend on, but for the shape.
    static func key(_ model: Model, _ choice: DeviceChoice, _ runtime: Runtime) throws(ApusError)
        -> CompiledModelStore.Key
    {
        let core = try? runtime.openVINO()
        return CompiledModelStore.Key(
            model: try ModelFingerprint(model).digest,
            device: choice.provider == .cpu ? "onnxruntime-cpu" : choice.device,
            deviceName: choice.deviceName ?? "", deviceUUID: core?.property("DEVICE_UUID", of: choice.device) ?? "",
            driver: choice.driver ?? "", onnxRuntime: runtime.version,
            openVINO: choice.provider == .cpu ? "" : core?.version ?? "", precision: choice.precision?.rawValue ?? "",
            shape: "")
    }

    /// A session of all sizes on the CPU, which needs no cache and so no key.
    static func compile(_ model: Model, _ choice: DeviceChoice, _ runtime: Runtime) throws -> Compiled {
        let start = ContinuousClock.now
        let options = SessionOptions(provider: choice.provider)
        let session = try Session(runtime: runtime, model: model.source, options: options)
        return Compiled(session: session, origin: .notKept(""), duration: ContinuousClock.now - start)
    }

    func compile(_ canvas: Canvas?) throws -> Compiled {
        let start = ContinuousClock.now
        var options = SessionOptions(provider: choice.provider)
        var key = key
        if let canvas, let padding {
            options.dimensions = [padding.height: canvas.size.height, padding.width: canvas.size.width]
            if let batch = padding.batch { options.dimensions[batch] = canvas.batch }
            key.shape = "\(canvas.batch)x3x\(canvas.size.height)x\(canvas.size.width)"
        }
        guard let store, case .openVINO(let openVINO) = choice.provider else {
            let session = try Session(runtime: runtime, model: model.source, options: options)
            return Compiled(
                session: session, canvas: canvas, origin: .notKept(cacheReason), duration: ContinuousClock.now - start)
        }
        let (session, origin, note) = try store.load(key) { folder in
            var options = options
            if let folder { options.provider = .openVINO(openVINO.caching(in: folder)) }
            return try Session(runtime: runtime, model: model.source, options: options)
        }
        return Compiled(
            session: session, canvas: canvas, origin: origin, note: note, duration: ContinuousClock.now - start)
    }
}
