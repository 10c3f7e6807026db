/// Finding objects in many images.
extension Detector {
    /// Finds objects in a sequence of images: while the device runs some, the next ones are read and decoded.
    ///
    /// ```swift
    /// for try await found in detector.detections(in: urls) {
    ///     switch found.result {
    ///     case .success(let result): print(found.source.path, result.detections.count)
    ///     case .failure(let error): print(found.source.path, error)
    ///     }
    /// }
    /// ```
    ///
    /// - **Order**: results come in the order of the sources, one for each.
    /// - **Batches**: with a `batchSize` above 1, or a model of fixed batch, consecutive images that are decoded by then are run
    ///   together. A batch waits for images that are being decoded, but not for sources that haven't come yet.
    /// - **Memory**: no more than `inFlight` sources are taken from the sequence before the consumer has their results, so no
    ///   more images than that are decoded in memory, besides those that the sequence or the consumer holds itself.
    /// - **Failures**: an image that can't be read, or that the model fails on (code `inference`), is a failure of its own; the
    ///   others go on. Everything else would fail all images, such as a device that computes wrong results. It ends the
    ///   sequence, and is thrown after the results of the images before.
    /// - **Cancellation**: work begins with the first element that is asked for, and stops when the task is cancelled, or the loop
    ///   left. A run that OpenVINO has begun ends by itself.
    ///
    /// - Parameters:
    ///   - sources: files (`URL`), encoded images (`Data`), decoded ones (`Image`), or another `ImageSource`.
    ///   - threshold: detections with a higher score are reported, 0 to 1; nil takes the configuration's.
    ///   - limits: what an image may be at most.
    ///   - inFlight: sources that are worked on at the same time, from 1. Nil takes two batches and two images more: a batch
    ///     that runs, the next one, and room for results. At 1 nothing overlaps.
    /// - Returns: a sequence that throws the error of `sources`, as it is, or `ApusError`: with code `cancelled` if the task was
    ///   cancelled, `deviceFault` if the device computes wrong results, `device` or `model` if the model doesn't compile for a
    ///   size, `option` for a wrong threshold or `inFlight`.
    public func detections<Sources: AsyncSequence & Sendable>(
        in sources: Sources, threshold: Float? = nil, limits: Image.Limits = Image.Limits(), inFlight: Int? = nil
    ) -> some AsyncSequence<SourceResult<Sources.Element>, any Error> & Sendable where Sources.Element: ImageSource {
        Detections(
            sources: sources, limits: PipelineLimits(batch: batchSize, inFlight: inFlight),
            stages: DetectionStages(limits: limits) { try self.detect($0, threshold: threshold, cancellation: $1) })
    }

    /// The same for sources that needn't be waited for, such as an array. They are taken from a lazy sequence as it goes on.
    public func detections<Sources: Sequence & Sendable>(
        in sources: Sources, threshold: Float? = nil, limits: Image.Limits = Image.Limits(), inFlight: Int? = nil
    ) -> some AsyncSequence<SourceResult<Sources.Element>, any Error> & Sendable where Sources.Element: ImageSource {
        detections(in: Pulled(base: sources), threshold: threshold, limits: limits, inFlight: inFlight)
    }

    /// Images in a run: the model's fixed batch, or the configuration's.
    package var batchSize: Int { adapter.inputs.fixedBatch ?? configuration.batchSize }
}

/// What was found in the image of a source.
public struct SourceResult<Source: ImageSource>: Sendable {
    /// Where the image comes from, as it was in the sequence.
    public let source: Source
    /// The objects in it, or why there is no result for it.
    public let result: Result<DetectionResult, ApusError>
    /// What the decoder found wrong with the file, but could work around.
    public let warning: String?
}
