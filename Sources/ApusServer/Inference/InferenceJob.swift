internal import Apus
internal import Engine

/// Work of one request that waits in the queue, or runs.
final class InferenceJob: Sendable {
    enum Work: Sendable {
        case detect(Detection)
        /// Runs alone; returns what delivers its result, given how long the job had waited.
        case other(@Sendable (RunCancellation) -> @Sendable (_ waited: Duration) -> Void)
    }

    struct Detection: Sendable {
        var images: [EncodedImage]
        var threshold: Float
        var result: FirstResult<QueueResult<[ImageResult]>>
    }

    let model: ServedModel
    let work: Work
    /// Kept until the run ends, even if the client got its response before.
    let place: InferenceQueue.Place?
    let submitted = ContinuousClock.now
    let cancellation = RunCancellation()

    init(_ model: ServedModel, _ work: Work, _ place: InferenceQueue.Place?) {
        self.model = model
        self.work = work
        self.place = place
    }

    /// Images that take part in a batch; more than any batch has where the work runs alone.
    var imageCount: Int { if case .detect(let detection) = work { detection.images.count } else { .max } }
}

/// The result of a job, how long it waited, and with how many images it ran.
package struct QueueResult<Value: Sendable>: Sendable {
    package var value: Value
    package var waited: Duration
    package var batch: Int
}
