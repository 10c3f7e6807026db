internal import Engine

/// A model whose family, shapes and compiler are known, before the device compiles it.
struct PreparedModel {
    let recognized: RecognizedFamily
    var family: any ModelAdapter { recognized.family }
    let plan: ShapePlan
    let canvases: [Canvas]
    let compiler: ModelCompiler
    /// The key of a verdict: it holds for these canvases only, as a device uses different kernels for other shapes, and for this
    /// preprocessing and decoding, which `config.json` and `preprocessor_config.json` may change.
    var verdictKey: CompiledModelStore.Key {
        var key = compiler.key
        key.shape = canvases.isEmpty ? "exact" : canvases.map { "\($0.batch)x\($0.size)" }.joined(separator: ",")
        let inputs = recognized.family.inputs
        key.decoding = "\(recognized.name), \(inputs.resize), \(inputs.format)"
        return key
    }
    /// The session of all sizes, if the model runs that way.
    let session: ModelCompiler.Compiled?

    init(
        _ model: Model, _ configuration: Detector.Configuration, engine: any Engine, choice: DeviceChoice,
        progress: (Detector.LoadProgress) throws(ApusError) -> Void
    ) throws(ApusError) {
        var stamp: FileStamp?
        if case .file(let path) = model.source { stamp = FileStamp(path) }
        var description = try ModelDescription(model)
        if description.hasOpenOutputs {
            // Loading the model to infer its shapes takes a moment, but compiles nothing.
            description.outputs = try ApusError.wrapping(doing: "load the model \(model.name)") {
                var options = SessionOptions(.ownKernels)
                options.isOptimized = false
                return try engine.session(checked: model.source, options: options).outputs
            }
        }
        recognized =
            if let custom = configuration.customFamily {
                try RecognizedFamily(custom, description)
            } else {
                try ModelFamilies.recognize(
                    description, chosen: configuration.family, among: configuration.families)
            }
        let takesAllSizes = choice.device == "CPU" && [.auto, .exact].contains(configuration.shapes)
        if takesAllSizes { try progress(.compiling(shape: 1, of: 1)) }
        session =
            takesAllSizes
            ? try ApusError.wrapping(doing: "load the model \(model.name)") {
                try ModelCompiler.compile(model, choice, engine)
            } : nil
        plan = try ShapePlan(
            configuration.shapes, family: recognized.family, device: choice.device,
            isOwnKernels: choice.target == .ownKernels)
        let batch = recognized.family.inputs.fixedBatch ?? configuration.batchSize
        canvases = plan.canvases.map { Canvas(size: $0, batch: batch) }
        compiler = try ModelCompiler(
            configuration, engine: engine, model: model, choice: choice, family: recognized.family,
            hasCanvases: !canvases.isEmpty)
        // The digest was made from the file loaded above.
        if let stamp, FileStamp(stamp.path) != stamp {
            throw ApusError(
                .model, doing: "load the model \(model.name)", cause: "it was replaced while it was being loaded",
                remedy: "Load it again.")
        }
    }
}

extension Execution {
    init(
        of session: any EngineSession, _ prepared: PreparedModel, on choice: DeviceChoice,
        verification: VerificationStatus, loading: LoadTimings
    ) {
        let isConfirmed = session.target == .ownKernels || session.openVINODevice != nil
        self.init(
            provider: session.providerName, device: session.openVINODevice ?? choice.device,
            deviceName: choice.deviceName, precision: choice.precision, nodes: session.nodes,
            reason: choice.reason + (isConfirmed ? "" : "; the provider doesn't report which device it chose"),
            canvases: prepared.canvases.map(\.size), shapeReason: prepared.plan.reason,
            cache: prepared.compiler.cache, verification: verification, runtimeVersion: session.engine.version,
            runtimeFolder: session.engine.location.folder, loading: loading)
    }
}
