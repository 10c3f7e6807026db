package import Apus
internal import Foundation
package import ONNXRuntime

/// Runs pictures through models on threads of its own, in order, and refuses more than it can hold.
///
/// A request first takes a place (`admit`), then submits its pictures. With batches, a thread takes the pictures of several
/// requests for one model at once.
package final class InferenceQueue: @unchecked Sendable {  // what changes is touched under the condition only
    package struct Limits: Sendable, Equatable {
        /// Requests that may wait, beside those that run.
        package var queue: Int
        /// Runs at the same time.
        package var concurrency: Int
        /// Pictures in a run.
        package var maxBatch: Int
        /// How long a run waits for more pictures.
        package var batchDelay: Duration

        package init(queue: Int = 64, concurrency: Int = 1, maxBatch: Int = 1, batchDelay: Duration = .zero) {
            self.queue = queue
            self.concurrency = concurrency
            self.maxBatch = maxBatch
            self.batchDelay = batchDelay
        }
    }

    /// A request's place. It is given back when this goes away.
    package final class Place: Sendable {
        private let queue: InferenceQueue
        fileprivate init(_ queue: InferenceQueue) { self.queue = queue }
        deinit { queue.leave() }
    }

    /// What a request waited for, and with how many pictures it ran.
    package struct Outcome<Value: Sendable>: Sendable {
        package var value: Value
        package var waited: Duration
        package var batch: Int
    }

    /// What there is to do now.
    package struct Load: Sendable, Equatable {
        package var admitted: Int
        package var queued: Int
        package var running: Int
    }

    /// Something that waits to be run.
    private final class Job {
        let model: ServedModel
        let work: Work
        /// Kept until the run ends, even if the request was answered before.
        let place: Place?
        let submitted = ContinuousClock.now
        let cancellation = RunCancellation()
        /// Nil once it was answered.
        var finish: ((Result<(any Sendable, Duration, Int), any Error>) -> Void)?

        init(_ model: ServedModel, _ work: Work, _ place: Place?) {
            self.model = model
            self.work = work
            self.place = place
        }

        var threshold: Float { if case .detect(_, let threshold) = work { threshold } else { 0 } }

        var pictures: Int { if case .detect(let pictures, _) = work { pictures.count } else { .max } }
    }

    private enum Work {
        case detect([EncodedPicture], Float)
        /// Runs alone.
        case other((RunCancellation) throws -> any Sendable)
    }

    package let limits: Limits
    private let condition = NSCondition()
    private var waiting: [Job] = []
    private var admitted = 0
    private var running = 0
    private var isStopped = false
    /// Seconds that a run takes, averaged over the last few.
    private var runSeconds = 0.1

    package init(_ limits: Limits) {
        self.limits = limits
        for index in 0..<limits.concurrency {
            // Inference blocks, so it has no place on the cooperative pool.
            let thread = Thread { [weak self] in
                while let next = self.map({ $0.next() }) {
                    guard let jobs = next else { return }
                    self?.run(jobs)
                }
            }
            thread.name = "apus.inference.\(index)"
            thread.stackSize = 4 << 20
            thread.start()
        }
    }

    package var load: Load {
        condition.withLock { Load(admitted: admitted, queued: waiting.count, running: running) }
    }

    /// Takes a place, which the request keeps until it is answered and nothing of it runs any more.
    package func admit() throws(ServerError) -> Place {
        let refusal = condition.withLock {
            let refusal = self.refusal
            if refusal == nil { admitted += 1 }
            return refusal
        }
        if let refusal { throw refusal }
        return Place(self)
    }

    /// Refuses what would get no place now, before its body is read.
    package func requireSpace() throws(ServerError) {
        if let refusal = condition.withLock({ self.refusal }) { throw refusal }
    }

    /// Under the condition.
    private var refusal: ServerError? {
        if isStopped { return .stopping }
        guard admitted >= limits.queue + limits.concurrency else { return nil }
        let seconds = Double(admitted) * runSeconds / Double(limits.concurrency)
        return .overloaded(queue: limits.queue, retryAfter: max(1, min(60, Int(seconds.rounded(.up)))))
    }

    private func leave() { condition.withLock { admitted -= 1 } }

    /// Finds objects in a request's pictures, which are decoded on the same thread, so that only as many lie decoded in
    /// memory as are run.
    package func detect(
        _ pictures: [EncodedPicture], with model: ServedModel, threshold: Float, in place: Place? = nil
    ) async throws -> Outcome<[PictureResult]> {
        try await submit(Job(model, .detect(pictures, threshold), place))
    }

    /// Does other blocking work with a model; cancelling the task cancels the runs that are tied to the cancellation.
    package func perform<Value: Sendable>(
        with model: ServedModel, in place: Place? = nil,
        _ work: @escaping @Sendable (RunCancellation) throws -> Value
    ) async throws -> Outcome<Value> {
        try await submit(Job(model, .other(work), place))
    }

    /// Ends the threads when all that waits is done.
    package func stop() {
        condition.withLock {
            isStopped = true
            condition.broadcast()
        }
    }

    // MARK: Jobs

    private struct Handle: @unchecked Sendable {  // the job is touched under the condition only
        let job: Job
    }

    private func submit<Value: Sendable>(_ job: Job) async throws -> Outcome<Value> {
        let handle = Handle(job: job)
        let (value, waited, batch) = try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation {
                (continuation: CheckedContinuation<(any Sendable, Duration, Int), any Error>) in
                condition.withLock {
                    guard !isStopped else { return continuation.resume(throwing: ServerError.stopping) }
                    guard !handle.job.cancellation.isCancelled else {
                        return continuation.resume(throwing: CancellationError())
                    }
                    handle.job.finish = { continuation.resume(with: $0) }
                    waiting.append(handle.job)
                    condition.broadcast()
                }
            }
        } onCancel: {
            cancel(handle.job)
        }
        guard let value = value as? Value else { preconditionFailure("a job gives what its work gives") }
        return Outcome(value: value, waited: waited, batch: batch)
    }

    /// Who waits is told at once; a run that OpenVINO has begun ends by itself.
    private func cancel(_ job: Job) {
        job.cancellation.cancel()
        let finish = condition.withLock {
            waiting.removeAll { $0 === job }
            defer { job.finish = nil }
            return job.finish
        }
        finish?(.failure(CancellationError()))
    }

    /// What is to be run next, together; nil when all is done and nothing more will come.
    private func next() -> [Job]? {
        condition.withLock {
            while waiting.isEmpty {
                if isStopped { return nil }
                condition.wait()
            }
            let first = waiting.removeFirst()
            var jobs = [first]
            var pictures = first.pictures
            let until = Date(timeIntervalSinceNow: limits.batchDelay.milliseconds / 1000)
            func gather() {
                var index = 0
                while index < waiting.count, pictures < limits.maxBatch {
                    let job = waiting[index]
                    if job.model === first.model, job.pictures <= limits.maxBatch - pictures {
                        waiting.remove(at: index)
                        pictures += job.pictures
                        jobs.append(job)
                    } else {
                        index += 1
                    }
                }
            }
            if case .detect = first.work {
                gather()
                while pictures < limits.maxBatch, !isStopped, condition.wait(until: until) { gather() }
            }
            running += jobs.count
            return jobs
        }
    }

    private func run(_ jobs: [Job]) {
        let start = ContinuousClock.now
        let results = jobs.count == 1 ? [alone(jobs[0])] : together(jobs)
        let seconds = (ContinuousClock.now - start).milliseconds / 1000
        let finishes = condition.withLock {
            running -= jobs.count
            runSeconds += (seconds / Double(jobs.count) - runSeconds) / 8
            return zip(jobs, results).map { job, result in
                defer { job.finish = nil }
                return (job.finish, result.map { ($0.value, start - job.submitted, $0.batch) })
            }
        }
        for (finish, result) in finishes { finish?(result) }
    }

    private typealias Done = (value: any Sendable, batch: Int)

    /// A request by itself: no more of its pictures lie decoded in memory than are run at once.
    private func alone(_ job: Job) -> Result<Done, any Error> {
        Result {
            switch job.work {
            case .other(let work): return (try work(job.cancellation), 1)
            case .detect(let pictures, let threshold):
                var results: [PictureResult] = []
                var rest = pictures[...]
                while !rest.isEmpty {
                    let decoded = try rest.prefix(limits.maxBatch).map { try Decoded($0, job.cancellation) }
                    rest = rest.dropFirst(limits.maxBatch)
                    let found = try job.model.detector.detect(
                        decoded.map(\.image), threshold: threshold, cancellation: job.cancellation)
                    results += try zip(decoded, found).map { try $0.result($1, job.cancellation) }
                }
                return (results, min(pictures.count, limits.maxBatch))
            }
        }
    }

    /// Pictures of several requests, together no more than a batch.
    private func together(_ jobs: [Job]) -> [Result<Done, any Error>] {
        let decoded = jobs.map { job in
            Result {
                guard case .detect(let pictures, _) = job.work else { return [Decoded]() }
                return try pictures.map { try Decoded($0, job.cancellation) }
            }
        }
        let images = decoded.flatMap { ((try? $0.get()) ?? []).map(\.image) }
        guard !images.isEmpty else { return decoded.map { $0.map { _ in ([PictureResult](), 0) } } }
        // Each request has a threshold of its own; what is above the lowest is sorted out below.
        let lowest = jobs.map(\.threshold).min() ?? 0
        var found: ArraySlice<DetectionResult>
        do {
            found = try jobs[0].model.detector.detect(images, threshold: lowest)[...]
        } catch {
            // One picture of several may be at fault: each request alone.
            return jobs.map(alone)
        }
        return zip(jobs, decoded).map { job, decoded in
            decoded.flatMap { pictures in
                let own = found.prefix(pictures.count)
                found = found.dropFirst(pictures.count)
                return Result {
                    let results = try zip(pictures, own).map { picture, result in
                        var result = result
                        result.detections.removeAll { $0.score <= job.threshold }
                        return try picture.result(result, job.cancellation)
                    }
                    return (results, images.count)
                }
            }
        }
    }

    /// A picture that is about to be run.
    private struct Decoded {
        let encoded: EncodedPicture
        let image: Image
        let duration: Duration

        /// - Throws: also if nobody waits for it any more.
        init(_ encoded: EncodedPicture, _ cancellation: RunCancellation) throws {
            if cancellation.isCancelled { throw CancellationError() }
            let start = ContinuousClock.now
            self.encoded = encoded
            image = try Image(
                decoding: encoded.bytes, name: encoded.name ?? "the picture", limits: encoded.limits,
                isCancelled: { cancellation.isCancelled })
            duration = ContinuousClock.now - start
        }

        func result(_ result: DetectionResult, _ cancellation: RunCancellation) throws -> PictureResult {
            if cancellation.isCancelled { throw CancellationError() }
            return PictureResult(
                name: encoded.name, result: result, decode: duration, warning: image.warning,
                drawn: try encoded.draw?(result, image))
        }
    }
}

/// A picture as a client sent it.
package struct EncodedPicture: Sendable {
    /// What the client calls it.
    package var name: String?
    package var bytes: [UInt8]
    package var limits: Image.Limits
    /// Draws what was found, while the picture is there decoded; nil if nobody wants to see it.
    package var draw: (@Sendable (DetectionResult, Image) throws -> [UInt8])?
    /// By which its bytes count as long as it is there.
    package var lease: BodyReader.Lease?

    package init(
        name: String?, bytes: [UInt8], limits: Image.Limits, lease: BodyReader.Lease? = nil,
        draw: (@Sendable (DetectionResult, Image) throws -> [UInt8])? = nil
    ) {
        self.name = name
        self.bytes = bytes
        self.limits = limits
        self.lease = lease
        self.draw = draw
    }
}

/// What was found in a picture.
package struct PictureResult: Sendable {
    package var name: String?
    package var result: DetectionResult
    package var decode: Duration
    /// What the decoder found wrong, but could work around.
    package var warning: String?
    /// The picture with what was found, encoded.
    package var drawn: [UInt8]?
}
