internal import Imaging
package import ONNXRuntime

/// Finds objects in pictures with a detection model.
///
/// ```swift
/// let detector = try Detector()
/// let image = try Image(contentsOfFile: "street.jpg")
/// for found in try detector.detect(image).detections {
///     print(found.category ?? "?", found.score, found.box)
/// }
/// ```
///
/// A detector may be used from many tasks at once.
public final class Detector: Sendable {
    /// What was asked for.
    public let configuration: Configuration
    /// What reports call the model.
    public let modelName: String
    /// The kind of model, as "detr".
    public let family: String
    /// What ran the model.
    public let execution: Execution
    /// What the model's file does not say and was taken for granted, one sentence each.
    public let assumptions: [String]
    /// The names of the classes; nil if neither the model nor the configuration gives them.
    public let labels: LabelMap?

    let adapter: any ModelFamily
    let pool: SessionPool
    let health: DeviceHealth
    /// What verdicts on this model, device and shapes go by.
    package let key: CompiledModelStore.Key

    /// Loads and compiles a model.
    ///
    /// - Throws: `ApusError` that says what is missing or wrong, and what to do.
    public init(model: Model = .demo, configuration: Configuration = Configuration()) throws(ApusError) {
        let clock = ContinuousClock()
        let start = clock.now
        let runtime = try ApusError.wrapping(doing: "load the model \(model.name)") {
            try Runtime.load(RuntimeLocation.find(explicit: configuration.runtime))
        }
        let loaded = clock.now
        let choice = try ApusError.wrapping(doing: "load the model \(model.name)") {
            try DeviceChoice(configuration, runtime: runtime)
        }
        let chosen = clock.now
        let prepared = try PreparedModel(model, configuration, runtime: runtime, choice: choice)
        let verification = VerdictStore(folder: configuration.verdicts).status(of: prepared.verdictKey)
        try Detector.require(verification, configuration, choice, model)
        let health = DeviceHealth(
            device: choice.deviceName.map { "\(choice.device) (\($0))" } ?? choice.device,
            watches: configuration.watchesAnswers,
            interval: configuration.canaryInterval)
        let adapter = prepared.family
        let pool = try ApusError.wrapping(doing: "load the model \(model.name)") {
            try SessionPool(
                prepared.compiler, canvases: prepared.canvases, first: prepared.session,
                preparation: configuration.preparation,
                warmUp: { compiled in
                    guard choice.device != "CPU" else {
                        // The first run of a session is slower; its answer is not watched.
                        if configuration.preparation != .whenNeeded {
                            _ = try adapter.run(compiled.session, [Canary.picture], on: compiled.canvas)
                        }
                        return nil
                    }
                    let inputs = try adapter.inputs(for: [Canary.picture], on: compiled.canvas)
                    return try health.firstAnswer { try adapter.answerCanary(compiled.session, inputs) }
                })
        }
        guard let session = pool.entries.last?.session else { preconditionFailure("a session was made above") }
        self.adapter = adapter
        self.pool = pool
        self.health = health
        self.key = prepared.verdictKey
        self.configuration = configuration
        self.modelName = model.name
        self.family = type(of: adapter).name
        let (labels, assumptions) = Detector.labels(configuration.labels, adapter)
        self.labels = labels
        self.assumptions =
            assumptions
            + (prepared.plan.stalls
                ? ["each new size of picture has to be compiled for, which takes seconds: \(prepared.plan.reason)"]
                : [])
        let isConfirmed = session.provider == .cpu || session.openVINODevice != nil
        let nodes = session.assignments.map { Dictionary($0.map { ($0.provider, $0.nodes) }, uniquingKeysWith: +) }
        self.execution = Execution(
            provider: session.provider.name, device: session.openVINODevice ?? choice.device,
            deviceName: choice.deviceName, precision: choice.precision, nodes: nodes,
            reason: choice.reason + (isConfirmed ? "" : "; the provider does not say which device it took"),
            canvases: prepared.canvases.map(\.size), shapeReason: prepared.plan.reason,
            cache: prepared.compiler.cache, verification: verification,
            runtimeVersion: session.runtime.version, runtimeFolder: session.runtime.location.folder,
            loading: LoadTimings(runtime: loaded - start, device: chosen - loaded, model: clock.now - chosen))
    }

    /// The shapes that the model is compiled for by now, and those that failed.
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

    private static func require(
        _ verification: VerificationStatus, _ configuration: Configuration, _ choice: DeviceChoice, _ model: Model
    ) throws(ApusError) {
        guard configuration.requiresVerified, verification.state != .yes else { return }
        // ONNX Runtime's own kernels are the usual reference, and nothing is compared with itself.
        let isOwnKernels = choice.provider == .cpu
        let command =
            "apus verify\(model.option) --device \(configuration.device) "
            + (isOwnKernels
                ? "--provider cpu --reference \(Verifier.Reference.openVINO.rawValue)"
                : "--precision \(choice.precision?.rawValue ?? "auto")")
            + (configuration.batchSize > 1 ? " --batch \(configuration.batchSize)" : "")
            + (configuration.shapes == .auto ? "" : " --shapes \(configuration.shapes)")
            + (configuration.runtime.map { " --runtime \($0)" } ?? "")
        throw ApusError(
            .verification, doing: "use the model \(model.name) on \(choice.device)",
            cause: verification.state == .no
                ? "its answers there were found wrong on \(verification.date ?? "an earlier day"): "
                    + (verification.summary ?? "")
                : "its answers there were never compared with the reference's, and only verified ones were asked for",
            remedy: verification.state == .no
                ? "Use another device or precision; \(command) compares again." : "Compare them: \(command)")
    }

    /// The configuration's names, then the model's; COCO's for a model of as many classes, and that is an assumption.
    private static func labels(
        _ configured: LabelMap?, _ family: any ModelFamily
    ) -> (labels: LabelMap?, assumptions: [String]) {
        if let labels = configured ?? family.labels { return (labels, family.assumptions) }
        if family.classCount == LabelMap.cocoClassCount {
            return (.coco, family.assumptions + ["labels: COCO's, as the model tells 91 classes apart"])
        }
        return (nil, family.assumptions + ["the model gives no names of its classes, so they have numbers only"])
    }

    /// Finds objects in a picture, on this thread.
    ///
    /// - Parameter threshold: detections with a higher score are reported; nil takes the configuration's.
    /// - Throws: `ApusError` with code `inference`.
    public func detect(_ image: Image, threshold: Float? = nil) throws(ApusError) -> DetectionResult {
        let results = try detect([image], threshold: threshold)
        return results[0]
    }

    /// Finds objects in pictures, on this thread. Results come in the order of the pictures.
    ///
    /// With a `batchSize` above 1, pictures that the model sees at the same size, or on the same canvas, are run together.
    public func detect(_ images: [Image], threshold: Float? = nil) throws(ApusError) -> [DetectionResult] {
        try detect(images, threshold: threshold, cancellation: nil)
    }

    /// Finds objects in a picture without blocking the caller's executor. Cancelling the task cancels the run.
    public func detect(_ image: Image, threshold: Float? = nil) async throws -> DetectionResult {
        let results = try await detect([image], threshold: threshold)
        return results[0]
    }

    /// Finds objects in pictures without blocking the caller's executor. Cancelling the task cancels the run.
    public func detect(_ images: [Image], threshold: Float? = nil) async throws -> [DetectionResult] {
        try await RunCancellation.detached {
            try self.detect(images, threshold: threshold, cancellation: $0)
        }
    }

    /// On this thread, until it ends or is cancelled from another.
    package func detect(
        _ images: [Image], threshold: Float?, cancellation: RunCancellation?
    ) throws(ApusError) -> [DetectionResult] {
        let threshold = threshold ?? configuration.threshold
        try Configuration.check(threshold: threshold)
        var results = [DetectionResult?](repeating: nil, count: images.count)
        for batch in batches(of: images) {
            let found = try ApusError.wrapping(doing: "detect objects") {
                try detect(
                    batch.images.map { images[$0] }, slot: batch.slot, above: threshold, cancellation: cancellation)
            }
            for (index, result) in zip(batch.images, found) { results[index] = result }
        }
        return results.compactMap { $0 }
    }

    /// Pictures that are run together, and on which of the pool's canvases.
    private func batches(of images: [Image]) -> [(slot: Int, images: [Int])] {
        let size = adapter.fixedBatch ?? configuration.batchSize
        let wanted = images.map { adapter.inputSize(width: $0.width, height: $0.height, on: nil) }
        let slots = wanted.map { pool.index(for: $0) }
        guard size > 1 else { return images.indices.map { (slots[$0], [$0]) } }
        // What shares a run: the canvas, which is the same whatever else is on it. Without one only pictures of one size do,
        // as padding has an effect on answers, and a picture's answer is not to depend on its neighbours.
        var groups: [[Int]: [Int]] = [:]
        for index in images.indices {
            let sharesCanvas = pool.canvas(at: slots[index]) != nil || (adapter.mixesSizes && adapter.hasFixedSize)
            let key = sharesCanvas ? [slots[index]] : [slots[index], wanted[index].height, wanted[index].width]
            groups[key, default: []].append(index)
        }
        return groups.values.sorted { $0[0] < $1[0] }.flatMap { group in
            stride(from: 0, to: group.count, by: size).map {
                (slots[group[0]], Array(group[$0..<min($0 + size, group.count)]))
            }
        }
    }

    private func detect(
        _ batch: [Image], slot: Int, above threshold: Float, cancellation: RunCancellation?
    ) throws -> [DetectionResult] {
        try health.requireSound()
        let entry = try pool.entry(at: slot)
        let clock = ContinuousClock()
        let start = clock.now
        let inputs = try adapter.inputs(for: batch, on: entry.canvas)
        let prepared = clock.now
        let outputs = try run(inputs, on: entry, count: batch.count, cancellation: cancellation)
        let ran = clock.now
        try health.examine(outputs, canary: entry.canary) { try canaryOutputs(entry) }
        let sizes = batch.map { (width: $0.width, height: $0.height) }
        let found: [[Detection]]
        do {
            found = try adapter.detections(in: outputs, sizes: sizes, threshold: threshold)
        } catch {
            try checkDevice(after: entry)
            throw error
        }
        let share = { (duration: Duration) in duration / batch.count }
        let timings = Timings(
            preprocess: share(prepared - start), inference: share(ran - prepared), postprocess: share(clock.now - ran))
        return zip(batch, found).map { image, detections in
            DetectionResult(
                detections: detections.map { detection in
                    var named = detection
                    named.category = labels?[detection.label]
                    return named
                }, width: image.width, height: image.height, timings: timings)
        }
    }

    private func run(
        _ inputs: [String: Tensor], on entry: SessionPool.Entry, count: Int, cancellation: RunCancellation?
    ) throws -> [String: Tensor] {
        do {
            return try entry.session.run(inputs, outputs: adapter.outputNames, cancellation: cancellation)
        } catch {
            if error.code == .runFailed { try checkDevice(after: entry) }
            guard count > 1, adapter.fixedBatch == nil, error.code != .cancelled else { throw error }
            var explained = error
            explained.remedy = "The model may not take batches, though its inputs say so: use batch size 1."
            throw explained
        }
    }

    /// Whether it was the picture or the device that failed: a test picture tells.
    func checkDevice(after entry: SessionPool.Entry) throws {
        guard let canary = entry.canary else { return }
        try health.check(canary) { try canaryOutputs(entry) }
    }

    private func canaryOutputs(_ entry: SessionPool.Entry) throws -> [String: Tensor] {
        try adapter.answerCanary(entry.session, try adapter.inputs(for: [Canary.picture], on: entry.canvas))
    }

    /// A picture's raw outputs and what is detected in it, whether or not they can be right.
    ///
    /// - Parameter shaking: how far the pixels are moved, as a share of each, which shows how sensitive the network is.
    package func answer(
        _ image: Image, threshold: Float, shaking: Float = 0
    ) throws(ApusError) -> RawAnswer {
        try ApusError.wrapping(doing: "run the model") {
            let wanted = adapter.inputSize(width: image.width, height: image.height, on: nil)
            let entry = try pool.entry(at: pool.index(for: wanted))
            var inputs = try adapter.inputs(for: [image], on: entry.canvas)
            if shaking > 0 { inputs = try inputs.mapValues { try $0.shaken(by: shaking) } }
            let start = ContinuousClock.now
            let outputs = try run(inputs, on: entry, count: 1, cancellation: nil)
            let duration = ContinuousClock.now - start
            let found = Result { () throws(ApusError) in
                try ApusError.wrapping(doing: "read the answer") {
                    try adapter.detections(
                        in: outputs, sizes: [(width: image.width, height: image.height)], threshold: threshold)[0]
                }
            }
            return RawAnswer(outputs: outputs, detections: found, inference: duration)
        }
    }

    /// Canvases that none of the pictures goes to.
    package func canvases(without images: [Image]) -> [PixelSize] {
        let used = Set(images.map { pool.index(for: adapter.inputSize(width: $0.width, height: $0.height, on: nil)) })
        return execution.canvases.indices.filter { !used.contains($0) }.map { execution.canvases[$0] }
    }

    /// Gives the device a picture whose answer is known, on each canvas; does nothing where no answer is known, as on a CPU.
    ///
    /// - Throws: `ApusError` with code `deviceFault` if the answer changed. From then on `detect` throws it too, until a
    ///   later check passes.
    public func checkDevice() throws(ApusError) {
        try ApusError.wrapping(doing: "check the device") {
            let known = health.faultNumber
            for entry in pool.entries { try checkDevice(after: entry) }
            health.clear(upTo: known)
        }
    }

    /// What the watch found wrong with the device; nil if nothing.
    public var deviceFault: ApusError? { health.fault }
}

/// A picture's answer, whether or not it can be right.
package struct RawAnswer {
    package var outputs: [String: Tensor]
    /// Or why none can be read from the outputs.
    package var detections: Result<[Detection], ApusError>
    package var inference: Duration
}

extension ModelFamily {
    /// The model's inputs for pictures of any size.
    func inputs(for images: [Image], on canvas: Canvas?) throws -> [String: Tensor] {
        try inputs(
            for: images.map { image in
                let size = inputSize(width: image.width, height: image.height, on: canvas?.size)
                return image.bitmap.resized(width: size.width, height: size.height)
            }, on: canvas)
    }

    func run(_ session: Session, _ images: [Image], on canvas: Canvas?) throws -> [String: Tensor] {
        try session.run(try inputs(for: images, on: canvas), outputs: outputNames)
    }

    /// - Throws: `ApusError` with code `inference` if no detections can be read from the answer.
    func answerCanary(_ session: Session, _ inputs: [String: Tensor]) throws -> [String: Tensor] {
        let picture = Canary.picture
        let outputs = try session.run(inputs, outputs: outputNames)
        _ = try detections(in: outputs, sizes: [(width: picture.width, height: picture.height)], threshold: 1)
        return outputs
    }
}
