internal import Apus
internal import Engine

/// Jobs that run at the same time on one thread: a single one of any size, or several whose images fit into one batch.
struct InferenceRun {
    /// Delivers a result to whoever waits for it.
    typealias Delivery = @Sendable () -> Void

    let jobs: [InferenceJob]
    let maxBatch: Int
    private let start = ContinuousClock.now

    init(_ jobs: [InferenceJob], maxBatch: Int) {
        self.jobs = jobs
        self.maxBatch = maxBatch
    }

    /// Does the work, on this thread.
    ///
    /// - Returns: what delivers the results, one for each job.
    func perform() -> [Delivery] {
        jobs.count == 1 ? [alone(jobs[0])] : together()
    }

    private func alone(_ job: InferenceJob) -> Delivery {
        switch job.work {
        case .other(let work):
            let deliver = work(job.cancellation)
            let waited = start - job.submitted
            return { deliver(waited) }
        case .detect(let detection):
            return delivery(
                of: Result { try detect(detection, job) }, batch: min(detection.images.count, maxBatch), job)
        }
    }

    /// One request's images: no more of them are decoded in memory than run at once.
    private func detect(_ detection: InferenceJob.Detection, _ job: InferenceJob) throws -> [ImageResult] {
        var results: [ImageResult] = []
        var rest = detection.images[...]
        while !rest.isEmpty {
            let decoded = try rest.prefix(maxBatch).map { try DecodedImage($0, job.cancellation) }
            rest = rest.dropFirst(maxBatch)
            let found = try job.model.detector.detect(
                decoded.map(\.image), above: detection.threshold, cancellation: job.cancellation)
            results += try InferenceRun.results(decoded, found[...], job.cancellation)
        }
        return results
    }

    /// Images of several requests, together no more than a batch.
    private func together() -> [Delivery] {
        let decoded = jobs.map { job in
            Result {
                guard case .detect(let detection) = job.work else { return [DecodedImage]() }
                return try detection.images.map { try DecodedImage($0, job.cancellation) }
            }
        }
        let images = decoded.flatMap { ((try? $0.get()) ?? []).map(\.image) }
        guard !images.isEmpty else {
            return zip(jobs, decoded).map { job, decoded in delivery(of: decoded.map { _ in [] }, batch: 0, job) }
        }
        // Each request has a threshold of its own; what is above the lowest is sorted out below.
        let lowest = jobs.map(\.threshold).min() ?? 0
        var found: ArraySlice<DetectionResult>
        do {
            found = try jobs[0].model.detector.detect(images, above: lowest, cancellation: nil)[...]
        } catch {
            // One image of several may be at fault: each request alone.
            return jobs.map(alone)
        }
        return zip(jobs, decoded).map { job, decoded in
            let results = decoded.flatMap { images in
                var own = found.prefix(images.count)
                found = found.dropFirst(images.count)
                for index in own.indices { own[index].detections.removeAll { $0.score <= job.threshold } }
                return Result { try InferenceRun.results(images, own, job.cancellation) }
            }
            return delivery(of: results, batch: images.count, job)
        }
    }

    private static func results(
        _ images: [DecodedImage], _ found: ArraySlice<DetectionResult>, _ cancellation: RunCancellation
    ) throws -> [ImageResult] {
        precondition(images.count == found.count, "a detector returns one result for each image")
        return try zip(images, found).map { try $0.result($1, cancellation) }
    }

    private func delivery(of result: Result<[ImageResult], any Error>, batch: Int, _ job: InferenceJob) -> Delivery {
        guard case .detect(let detection) = job.work else { preconditionFailure("only detections share a run") }
        let waited = start - job.submitted
        return { detection.result.set(result.map { QueueResult(value: $0, waited: waited, batch: batch) }) }
    }
}

extension InferenceJob {
    fileprivate var threshold: Float { if case .detect(let detection) = work { detection.threshold } else { 0 } }
}

/// An image that is about to be run.
private struct DecodedImage {
    let encoded: EncodedImage
    let image: Image
    let duration: Duration

    /// - Throws: also if nobody waits for it any more.
    init(_ encoded: EncodedImage, _ cancellation: RunCancellation) throws {
        if cancellation.isCancelled { throw CancellationError() }
        let start = ContinuousClock.now
        self.encoded = encoded
        image = try Image(
            decoding: encoded.bytes, name: encoded.name ?? "the image", limits: encoded.limits,
            isCancelled: { cancellation.isCancelled })
        duration = ContinuousClock.now - start
    }

    func result(_ result: DetectionResult, _ cancellation: RunCancellation) throws -> ImageResult {
        if cancellation.isCancelled { throw CancellationError() }
        return ImageResult(
            name: encoded.name, result: result, decode: duration, warning: image.warning,
            drawn: try encoded.draw?(result, image))
    }
}
