internal import Engine
internal import Remedies

/// Finds objects in images with a detection model.
///
/// ```swift
/// let detector = try Detector()
/// let image = try Image(contentsOfFile: "street.jpg")
/// for found in try detector.detect(image).detections {
///     print(found.category ?? "?", found.score, found.box)
/// }
/// ```
///
/// A detector can be used from many tasks at once.
public final class Detector: Sendable {
    /// The requested configuration.
    public let configuration: Configuration
    /// The model's name in reports.
    public let modelName: String
    /// The model's family, such as "detr".
    public var family: String { recognized.name }
    /// How the family was determined.
    public var familyEvidence: String { recognized.evidence }
    /// How the model is executed.
    public let execution: Execution
    /// What the model's file doesn't state and was assumed, one sentence each.
    public let assumptions: [String]
    /// The names of the classes; nil if neither the model nor the configuration provides them.
    public let labels: LabelMap?

    private let recognized: RecognizedFamily
    let pool: SessionPool
    let health: DeviceHealth
    /// The key of verdicts on this model, device and shapes.
    package let key: CompiledModelStore.Key

    /// Loads and compiles a model on the calling thread; `load(model:configuration:progress:)` doesn't block.
    ///
    /// - Throws: `ApusError` with code `model`, `notADetector` or `ambiguousModel` for the model, `runtime`, `device` or
    ///   `option` for where and how it is to run, `verification` if only a verified device may run it, `deviceFault` if the
    ///   device computes wrong results.
    public convenience init(model: Model = .demo, configuration: Configuration = Configuration()) throws(ApusError) {
        try self.init(model: model, configuration: configuration) { _ in }
    }

    init(
        model: Model, configuration: Configuration, progress: (LoadProgress) throws(ApusError) -> Void
    ) throws(ApusError) {
        let clock = ContinuousClock()
        let start = clock.now
        let engine = try ApusError.wrapping(doing: "load the model \(model.name)") {
            try Engines.load(from: configuration.runtime)
        }
        let loaded = clock.now
        let choice = try ApusError.wrapping(doing: "load the model \(model.name)") {
            try DeviceChoice(configuration, engine: engine)
        }
        let chosen = clock.now
        try progress(.chosen(device: choice.device))
        let prepared = try PreparedModel(
            model, configuration, engine: engine, choice: choice, progress: progress)
        let verification = VerdictStore(folder: configuration.verdicts).status(of: prepared.verdictKey)
        try Detector.require(verification, configuration, choice, model)
        let health = DeviceHealth(
            device: choice.deviceName.map { "\(choice.device) (\($0))" } ?? choice.device,
            watches: configuration.watchesAnswers,
            interval: configuration.canaryInterval)
        let family = prepared.family
        let pool = try ApusError.wrapping(doing: "load the model \(model.name)") {
            try SessionPool(
                prepared.compiler, canvases: prepared.canvases, first: prepared.session,
                preparation: configuration.preparation,
                progress: { try progress(.compiling(shape: $0, of: $1)) },
                warmUp: {
                    try Detector.warmUp($0, family, health, isCPU: choice.device == "CPU", configuration.preparation)
                })
        }
        guard let session = pool.entries.last?.session else { preconditionFailure("a session was made above") }
        self.recognized = prepared.recognized
        self.pool = pool
        self.health = health
        self.key = prepared.verdictKey
        self.configuration = configuration
        self.modelName = model.name
        labels = configuration.labels ?? family.labels
        assumptions =
            family.assumptions
            + (labels == nil ? ["the model doesn't name its classes, so only their numbers are reported"] : [])
            + (prepared.plan.stalls
                ? ["each new image size has to be compiled, which takes seconds: \(prepared.plan.reason)"] : [])
        self.execution = Execution(
            of: session, prepared, on: choice, verification: verification,
            loading: LoadTimings(runtime: loaded - start, device: chosen - loaded, model: clock.now - chosen))
    }

    /// The shapes that the model has been compiled for so far, and those that failed.
    public var compiledShapes: [CompiledShape] {
        pool.entries.map { entry in
            let compiled = entry.compiled
            var note = compiled.note
            if case .notKept(let why) = compiled.origin { note = "not kept: \(why)" }
            return CompiledShape(
                canvas: compiled.canvas?.size, origin: compiled.origin == .cache ? .cache : .compiled, note: note,
                duration: compiled.duration)
        }
            + pool.failures.map {
                CompiledShape(canvas: $0.canvas.size, origin: .failed, note: $0.why, duration: .zero)
            }
    }

    /// Runs a session once, so that no image pays for the first run.
    ///
    /// - Returns: the canary's first output, on a device that is watched; nil on the CPU.
    private static func warmUp(
        _ compiled: ModelCompiler.Compiled, _ family: any ModelAdapter, _ health: DeviceHealth, isCPU: Bool,
        _ preparation: Preparation
    ) throws -> Canary? {
        guard isCPU else {
            let inputs = try family.inputs.tensors(for: [Canary.picture], on: compiled.canvas)
            return try health.firstAnswer { try family.answerCanary(compiled.session, inputs) }
        }
        if preparation != .whenNeeded { _ = try family.run(compiled.session, [Canary.picture], on: compiled.canvas) }
        return nil
    }

    private static func require(
        _ verification: VerificationStatus, _ configuration: Configuration, _ choice: DeviceChoice, _ model: Model
    ) throws(ApusError) {
        guard configuration.requiresVerified, verification.state != .yes else { return }
        // ONNX Runtime's own kernels are the usual reference, and can't be compared with themselves.
        let isOwnKernels = choice.target == .ownKernels
        var options: [(Setting, String)] = [(.device, "\(configuration.device)")]
        if case .file(let path) = model { options.insert((.model, path), at: 0) }
        if let family = configuration.family { options.append((.family, family.name)) }
        options +=
            isOwnKernels
            ? [(.provider, "cpu"), (.reference, VerificationReference.openVINO.rawValue)]
            : [(.precision, choice.precision?.rawValue ?? "auto")]
        if configuration.batchSize > 1 { options.append((.batch, "\(configuration.batchSize)")) }
        if configuration.shapes != .auto { options.append((.shapes, "\(configuration.shapes)")) }
        if let runtime = configuration.runtime { options.append((.runtime, runtime)) }
        let command: Remedy = "\(command: "verify", options)"
        throw ApusError(
            .verification, doing: "use the model \(model.name) on \(choice.device)",
            cause: verification.state == .no
                ? "its results there were found wrong on \(verification.date ?? "an earlier day"): "
                    + (verification.summary ?? "")
                : "its results there were never compared with the reference's, and only verified devices are allowed",
            remedy: verification.state == .no
                ? "Use another device or precision; \(command) repeats the comparison." : "Compare them: \(command)")
    }

    /// How the model's inputs are made and its outputs read.
    var adapter: any ModelAdapter { recognized.family }
}
