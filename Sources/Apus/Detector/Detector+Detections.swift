/// Finding objects in many images.
extension Detector {
    /// Finds objects in a sequence of images. While the device runs some, the next ones are read and decoded.
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
    /// - **Batches**: with a `batchSize` above 1, or a model of fixed batch, consecutive images that are decoded by then run
    ///   together. A batch waits for images that are being decoded, but not for sources that haven't arrived yet.
    /// - **Memory**: at most `inFlight` sources are taken from the sequence before the consumer has their results, so at most
    ///   that many decoded images are in memory, besides those that the sequence or the consumer holds itself.
    /// - **Failures**: an image that can't be read, or that the model fails on (code `inference`), is a failure of its own; the
    ///   others go on. Any other error, such as a device that computes wrong results, would affect all images: it ends the
    ///   sequence, and is thrown after the results of the preceding images.
    /// - **Cancellation**: work begins when the first element is requested, and stops when the task is cancelled or the loop
    ///   exits. A run that OpenVINO has started runs to completion.
    ///
    /// - Parameters:
    ///   - sources: files (`URL`), encoded images (`Data`), decoded ones (`Image`), or another `ImageSource`.
    ///   - threshold: detections with a score above this are reported, 0 to 1; nil uses the configuration's.
    ///   - limits: the maximum size of an image.
    ///   - inFlight: how many sources are worked on at once, at least 1. Nil means two batches plus two images: a batch that
    ///     runs, the next one, and room for results. With 1, nothing overlaps.
    /// - Returns: a sequence that throws the error of `sources`, unchanged, or `ApusError`: with code `cancelled` if the task was
    ///   cancelled, `deviceFault` if the device computes wrong results, `device` or `model` if the model doesn't compile for a
    ///   size, `option` for an invalid threshold or `inFlight`.
    public func detections<Sources: AsyncSequence & Sendable>(
        in sources: Sources, threshold: Float? = nil, limits: Image.Limits = Image.Limits(), inFlight: Int? = nil
    ) -> some AsyncSequence<SourceResult<Sources.Element>, any Error> & Sendable where Sources.Element: ImageSource {
        Detections(
            sources: sources, limits: PipelineLimits(batch: batchSize, inFlight: inFlight),
            stages: DetectionStages(limits: limits) { try self.detect($0, threshold: threshold, cancellation: $1) })
    }

    /// Finds objects in a synchronous sequence of images, such as an array. Elements of a lazy sequence are pulled as needed.
    public func detections<Sources: Sequence & Sendable>(
        in sources: Sources, threshold: Float? = nil, limits: Image.Limits = Image.Limits(), inFlight: Int? = nil
    ) -> some AsyncSequence<SourceResult<Sources.Element>, any Error> & Sendable where Sources.Element: ImageSource {
        detections(in: Pulled(base: sources), threshold: threshold, limits: limits, inFlight: inFlight)
    }

    /// Images in a run: the model's fixed batch, or the configuration's.
    package var batchSize: Int { adapter.inputs.fixedBatch ?? configuration.batchSize }
}

/// The result for one source.
public struct SourceResult<Source: ImageSource>: Sendable {
    /// Where the image comes from: the element of the input sequence.
    public let source: Source
    /// The objects in the image, or why it has no result.
    public let result: Result<DetectionResult, ApusError>
    /// A defect of the file that the decoder could work around.
    public let warning: String?
}
