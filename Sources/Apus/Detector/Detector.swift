internal import Imaging
internal import ONNXRuntime

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

    private let session: Session
    private let adapter: any ModelFamily

    /// Loads and compiles a model.
    ///
    /// - Throws: `ApusError` that says what is missing or wrong, and what to do.
    public init(model: Model = .demo, configuration: Configuration = Configuration()) throws(ApusError) {
        let clock = ContinuousClock()
        let (session, choice, loading) = try ApusError.wrapping(doing: "load the model \(model.name)") {
            let start = clock.now
            let runtime = try Runtime.load(RuntimeLocation.find(explicit: configuration.runtime))
            let loaded = clock.now
            let choice = try DeviceChoice(configuration, runtime: runtime)
            let chosen = clock.now
            let options = SessionOptions(provider: choice.provider)
            let session = try Session(runtime: runtime, model: model.source, options: options)
            return (
                session, choice,
                LoadTimings(runtime: loaded - start, device: chosen - loaded, model: clock.now - chosen)
            )
        }
        adapter = try ModelFamilies.recognize(session, of: model)
        self.session = session
        self.configuration = configuration
        self.modelName = model.name
        self.family = type(of: adapter).name
        (self.labels, self.assumptions) = Detector.labels(configuration.labels, adapter)
        let isConfirmed = session.provider == .cpu || session.openVINODevice != nil
        let nodes = session.assignments.map { Dictionary($0.map { ($0.provider, $0.nodes) }, uniquingKeysWith: +) }
        self.execution = Execution(
            provider: session.provider.name, device: session.openVINODevice ?? choice.device,
            deviceName: choice.deviceName, precision: choice.precision, nodes: nodes,
            reason: choice.reason + (isConfirmed ? "" : "; the provider does not say which device it took"),
            runtimeVersion: session.runtime.version, runtimeFolder: session.runtime.location.folder,
            loading: loading)
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
    /// With a `batchSize` above 1, pictures that the model sees at the same size are run together; of any size, if the
    /// model takes `valid_sizes`.
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

    private func detect(
        _ images: [Image], threshold: Float?, cancellation: RunCancellation?
    ) throws(ApusError) -> [DetectionResult] {
        let threshold = threshold ?? configuration.threshold
        try Configuration.check(threshold: threshold)
        var results = [DetectionResult?](repeating: nil, count: images.count)
        for batch in batches(of: images) {
            let found = try ApusError.wrapping(doing: "detect objects") {
                try detect(batch.map { images[$0] }, above: threshold, cancellation: cancellation)
            }
            for (index, result) in zip(batch, found) { results[index] = result }
        }
        return results.compactMap { $0 }
    }

    /// Indices of pictures that are run together.
    private func batches(of images: [Image]) -> [[Int]] {
        let size = adapter.fixedBatch ?? configuration.batchSize
        guard size > 1 else { return images.indices.map { [$0] } }
        var bySize: [[Int]: [Int]] = [:]
        for (index, image) in images.enumerated() {
            let input = adapter.inputSize(width: image.width, height: image.height)
            bySize[[input.height, input.width], default: []].append(index)
        }
        func parts(_ indices: [Int]) -> [[Int]] {
            stride(from: 0, to: indices.count, by: size).map { Array(indices[$0..<min($0 + size, indices.count)]) }
        }
        if adapter.mixesSizes {
            // Like sizes beside each other, as what is padded is computed too.
            return parts(bySize.sorted { ($0.key[0], $0.key[1]) < ($1.key[0], $1.key[1]) }.flatMap(\.value))
        }
        return bySize.values.sorted { $0[0] < $1[0] }.flatMap(parts)
    }

    private func detect(
        _ batch: [Image], above threshold: Float, cancellation: RunCancellation?
    ) throws -> [DetectionResult] {
        let clock = ContinuousClock()
        let start = clock.now
        let inputs = try adapter.inputs(
            for: batch.map { image in
                let size = adapter.inputSize(width: image.width, height: image.height)
                return image.bitmap.resized(width: size.width, height: size.height)
            })
        let prepared = clock.now
        let outputs: [String: Tensor]
        do {
            outputs = try session.run(inputs, cancellation: cancellation)
        } catch {
            guard batch.count > 1, adapter.fixedBatch == nil, error.code != .cancelled else { throw error }
            var explained = error
            explained.remedy = "The model may not take batches, though its inputs say so: use batch size 1."
            throw explained
        }
        let ran = clock.now
        let sizes = batch.map { (width: $0.width, height: $0.height) }
        let found = try adapter.detections(in: outputs, sizes: sizes, threshold: threshold)
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
}
