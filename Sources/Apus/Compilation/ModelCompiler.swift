internal import Engine
internal import Foundation

/// Makes sessions of one model on one device, from the cache where there is one.
struct ModelCompiler: Sendable {
    /// A session and where it came from.
    struct Compiled: Sendable {
        var session: any EngineSession
        /// Nil for the model's own shape.
        var canvas: Canvas?
        var origin: CompiledModelStore.Origin
        var note: String?
        var duration: Duration
    }

    let engine: any Engine
    let model: Model
    let choice: DeviceChoice
    /// Where compiled models are stored, or why they aren't.
    let cache: Execution.Cache
    private let store: CompiledModelStore?
    private let fingerprint: ModelFingerprint
    let key: CompiledModelStore.Key
    let padding: PaddedShapes?

    init(
        _ configuration: Detector.Configuration, engine: any Engine, model: Model, choice: DeviceChoice,
        family: any ModelAdapter, hasCanvases: Bool
    ) throws(ApusError) {
        self.engine = engine
        self.model = model
        self.choice = choice
        padding = family.padding
        fingerprint = try ModelFingerprint(model)
        key = ModelCompiler.key(fingerprint, choice, engine)
        switch (choice.target, configuration.cache.path) {
        case (.ownKernels, _): cache = .none("ONNX Runtime's own kernels are not compiled")
        // Measured with DETR-R50: 1.4 s to load with and without.
        case (.openVINO, _) where choice.device == "CPU": cache = .none("the CPU gains nothing by it")
        // OpenVINO writes to the cache of a model with open sizes whenever a new size comes.
        case _ where !hasCanvases && !family.inputs.hasFixedSize:
            cache = .none("a model of any size is compiled as new sizes arrive")
        case (_, nil): cache = .none("turned off")
        case (_, let path?): cache = .folder(path)
        }
        store = if case .folder(let path) = cache { CompiledModelStore(folder: path) } else { nil }
    }

    /// What a compiled model and its verdict depend on, except the shape.
    private static func key(
        _ fingerprint: ModelFingerprint, _ choice: DeviceChoice, _ engine: any Engine
    ) -> CompiledModelStore.Key {
        let core = try? engine.openVINO(doing: "name the device")
        let uuid = core?.property("DEVICE_UUID", of: choice.device) ?? ""
        return CompiledModelStore.Key(
            model: fingerprint.digest, device: deviceName(choice, uuid: uuid), deviceName: choice.deviceName ?? "",
            deviceUUID: uuid, driver: choice.driver ?? "", onnxRuntime: engine.version,
            openVINO: choice.target == .ownKernels ? "" : core?.version ?? "",
            precision: choice.precision?.rawValue ?? "",
            shape: "")
    }

    /// A stable name for a device: a GPU's number may change, and "GPU" is an alias of the first.
    private static func deviceName(_ choice: DeviceChoice, uuid: String) -> String {
        guard choice.target != .ownKernels else { return "onnxruntime-cpu" }
        guard choice.device.hasPrefix("GPU") else { return choice.device }
        return uuid.isEmpty ? (choice.device == "GPU" ? "GPU.0" : choice.device) : "GPU"
    }

    /// - Throws: if the model was replaced since its digest was computed.
    func requireUnchanged() throws(ApusError) { try fingerprint.requireUnchanged() }

    /// A session of all sizes on the CPU, which needs neither cache nor key.
    static func compile(_ model: Model, _ choice: DeviceChoice, _ engine: any Engine) throws -> Compiled {
        let start = ContinuousClock.now
        let options = SessionOptions(choice.target)
        let session = try engine.session(checked: model.source, options: options)
        return Compiled(session: session, origin: .unkept, duration: ContinuousClock.now - start)
    }

    func compile(_ canvas: Canvas?) throws -> Compiled {
        try requireUnchanged()
        let start = ContinuousClock.now
        var options = SessionOptions(choice.target)
        var key = key
        if let canvas, let padding {
            options.dimensions = [padding.height: canvas.size.height, padding.width: canvas.size.width]
            if let batch = padding.batch { options.dimensions[batch] = canvas.batch }
            key.shape = "\(canvas.batch)x3x\(canvas.size.height)x\(canvas.size.width)"
        }
        let compiled: Compiled
        if let store {
            let (session, origin, note) = try store.load(key) { folder in
                var options = options
                options.cacheFolder = folder
                let session = try engine.session(checked: model.source, options: options)
                // Otherwise it would be stored under another model's digest.
                try requireUnchanged()
                return session
            }
            compiled = Compiled(
                session: session, canvas: canvas, origin: origin, note: note, duration: ContinuousClock.now - start)
        } else {
            let session = try engine.session(checked: model.source, options: options)
            compiled = Compiled(
                session: session, canvas: canvas, origin: .unkept, duration: ContinuousClock.now - start)
            try requireUnchanged()
        }
        return compiled
    }
}
