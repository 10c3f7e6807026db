internal import ONNXRuntime

/// A model whose family, shapes and compiler are settled, before the device compiles it.
struct PreparedModel {
    let family: any ModelFamily
    let plan: ShapePlan
    let canvases: [Canvas]
    let compiler: ModelCompiler
    /// What a verdict goes by: it holds for these canvases only, as a device has other kernels for other shapes.
    var verdictKey: CompiledModelStore.Key {
        var key = compiler.key
        key.shape = canvases.isEmpty ? "exact" : canvases.map { "\($0.batch)x\($0.size)" }.joined(separator: ",")
        return key
    }
    /// The session of all sizes, where that is how the model is to run.
    let session: ModelCompiler.Compiled?

    init(
        _ model: Model, _ configuration: Detector.Configuration, runtime: Runtime, choice: DeviceChoice
    ) throws(ApusError) {
        var stamp: FileStamp?
        if case .file(let path) = model.source { stamp = FileStamp(path) }
        if choice.device == "CPU" && [.auto, .exact].contains(configuration.shapes) {
            let compiled = try ApusError.wrapping(doing: "load the model \(model.name)") {
                try ModelCompiler.compile(model, choice, runtime)
            }
            session = compiled
            family = try ModelFamilies.recognize(compiled.session, of: model)
        } else {
            session = nil
            // Loading it to read its description takes a moment, compiling it for the wrong shape seconds.
            let description = try ApusError.wrapping(doing: "load the model \(model.name)") {
                var options = SessionOptions(provider: .cpu)
                options.isOptimized = false
                return try Session(checked: model.source, runtime: runtime, options: options)
            }
            family = try ModelFamilies.recognize(description, of: model)
        }
        plan = try ShapePlan(
            configuration.shapes, family: family, device: choice.device, isOwnKernels: choice.provider == .cpu)
        let batch = family.fixedBatch ?? configuration.batchSize
        canvases = plan.canvases.map { Canvas(size: $0, batch: batch) }
        compiler = try ModelCompiler(
            configuration, runtime: runtime, model: model, choice: choice, family: family,
            hasCanvases: !canvases.isEmpty)
        // What was loaded above is what the digest was made of.
        if let stamp, FileStamp(stamp.path) != stamp {
            throw ApusError(
                .model, doing: "load the model \(model.name)", cause: "it was replaced while it was being loaded",
                remedy: "Load it again.")
        }
    }
}
