internal import Engine
internal import Remedies

/// What `Detector.detections` returns: a pipeline in terms of images.
struct Detections<Sources: AsyncSequence & Sendable>: AsyncSequence, Sendable where Sources.Element: ImageSource {
    typealias Element = SourceResult<Sources.Element>
    typealias Failure = any Error

    let sources: Sources
    let limits: PipelineLimits
    let stages: DetectionStages<Sources.Element>

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(detections: self) }

    struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let detections: Detections
        private var base: Pipeline<DetectionStages<Sources.Element>, Sources>.AsyncIterator?

        fileprivate init(detections: Detections) { self.detections = detections }

        mutating func next(isolation actor: isolated (any Actor)?) async throws -> Element? {
            var base = try base ?? detections.pipeline().makeAsyncIterator()
            defer { self.base = base }
            do {
                return try await base.next(isolation: actor).map(Element.init)
            } catch is CancellationError where Task.isCancelled {
                throw ApusError(.cancelled, doing: "detect objects", cause: "the task was cancelled")
            }
        }
    }

    private func pipeline() throws(ApusError) -> Pipeline<DetectionStages<Sources.Element>, Sources> {
        guard limits.inFlight > 0 else {
            throw ApusError(
                .option, doing: "work on \(limits.inFlight) images at the same time", cause: "at least one is needed",
                remedy: "Use an inFlight of 1 or more.")
        }
        return Pipeline(sources, limits: limits, stages: stages)
    }
}

/// Decodes images and detects objects in them.
struct DetectionStages<Source: ImageSource>: PipelineStages {
    let limits: Image.Limits
    /// `Detector.detect`, or a test's substitute.
    let detect: @Sendable ([Image], RunCancellation) throws -> [DetectionResult]

    func prepare(_ source: Source) async throws -> Image { try await source.image(limits: limits) }

    func run(_ batch: [Image], _ cancellation: RunCancellation) throws -> [DetectionResult] {
        try detect(batch, cancellation)
    }

    func finish(_ source: Source, _ image: Image, _ result: DetectionResult) -> (DetectionResult, warning: String?) {
        (result, image.warning)
    }

    func endsPipeline(_ error: any Error) -> Bool { ApusError.concernsAllImages(error) }
}

extension ApusError {
    /// Whether an error of `Detector.detect` would affect other images too. The device is watched, so a remaining `inference`
    /// error is attributed to the image.
    package static func concernsAllImages(_ error: any Error) -> Bool {
        guard let code = (error as? ApusError)?.code else { return true }
        return ![.image, .tooLarge, .inference].contains(code)
    }
}

extension SourceResult {
    fileprivate init(_ element: PipelineElement<Source, (DetectionResult, warning: String?)>) {
        source = element.input
        warning = (try? element.result.get())?.warning
        result = element.result.map { $0.0 }.mapError { error in
            error as? ApusError
                ?? ApusError(
                    .image, doing: "read the image", cause: "\(error)", remedy: nil as Remedy?, underlying: error)
        }
    }
}
