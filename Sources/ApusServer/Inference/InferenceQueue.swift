internal import Apus
package import Engine
internal import Foundation

/// Runs images through models on threads of its own, in order, and refuses more than it can hold.
///
/// A request first takes a place (`admit`), then submits its images. With batches, a thread takes the images of several
/// requests for one model at once.
package final class InferenceQueue: @unchecked Sendable {  // what changes is touched under the condition only
    package struct Limits: Sendable, Equatable {
        /// Requests that may wait, beside those that run.
        package var queue: Int
        /// Runs at the same time.
        package var concurrency: Int
        /// Images in a run.
        package var maxBatch: Int
        /// How long a run waits for more images.
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

    /// What there is to do now.
    package struct Load: Sendable, Equatable {
        package var admitted: Int
        package var queued: Int
        package var running: Int
    }

    package let limits: Limits
    private let condition = NSCondition()
    private var waiting: [InferenceJob] = []
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

    /// Takes a place, which the request keeps until it has its response and nothing of it runs any more.
    package func admit() throws(ServerError) -> Place {
        let refusal = condition.withLock {
            let refusal = self.refusal
            if refusal == nil { admitted += 1 }
            return refusal
        }
        if let refusal { throw refusal }
        return Place(self)
    }

    /// Refuses a request that would get no place now. One that may come gets its place from `admit`, when its body is there.
    func requireRoom() throws(ServerError) {
        if let refusal = condition.withLock({ refusal }) { throw refusal }
    }

    /// Under the condition.
    private var refusal: ServerError? {
        if isStopped { return .stopping }
        guard admitted >= limits.queue + limits.concurrency else { return nil }
        let seconds = Double(admitted) * runSeconds / Double(limits.concurrency)
        return .overloaded(queue: limits.queue, retryAfter: max(1, min(60, Int(seconds.rounded(.up)))))
    }

    private func leave() { condition.withLock { admitted -= 1 } }

    /// Detects objects in a request's images, which are decoded on the same thread, so that only as many are decoded in memory as
    /// run at once.
    package func detect(
        _ images: [EncodedImage], with model: ServedModel, threshold: Float, in place: Place? = nil
    ) async throws -> QueueResult<[ImageResult]> {
        let result = FirstResult<QueueResult<[ImageResult]>>()
        let detection = InferenceJob.Detection(images: images, threshold: threshold, result: result)
        return try await submit(InferenceJob(model, .detect(detection), place), result)
    }

    /// Does other blocking work with a model; cancelling the task cancels the runs that are tied to the cancellation.
    package func perform<Value: Sendable>(
        with model: ServedModel, in place: Place? = nil,
        _ work: @escaping @Sendable (RunCancellation) throws -> Value
    ) async throws -> QueueResult<Value> {
        let result = FirstResult<QueueResult<Value>>()
        let job = InferenceJob(
            model,
            .other { cancellation in
                let value = Result { try work(cancellation) }
                return { waited in result.set(value.map { QueueResult(value: $0, waited: waited, batch: 1) }) }
            }, place)
        return try await submit(job, result)
    }

    /// Ends the threads when all that waits is done.
    package func stop() {
        condition.withLock {
            isStopped = true
            condition.broadcast()
        }
    }

    // MARK: Jobs

    private func submit<Value>(
        _ job: InferenceJob, _ result: FirstResult<QueueResult<Value>>
    ) async throws -> QueueResult<Value> {
        try await withTaskCancellationHandler {
            try await result.wait { if !enqueue(job) { result.set(.failure(ServerError.stopping)) } }
        } onCancel: {
            cancel(job)
        }
    }

    /// - Returns: false if the queue is stopped. A job that was cancelled is left out: nobody waits for it any more.
    private func enqueue(_ job: InferenceJob) -> Bool {
        condition.withLock {
            if isStopped { return false }
            guard !job.cancellation.isCancelled else { return true }
            waiting.append(job)
            condition.broadcast()
            return true
        }
    }

    /// Who waits is told at once by `FirstResult`; a run that OpenVINO has begun ends by itself.
    private func cancel(_ job: InferenceJob) {
        job.cancellation.cancel()
        condition.withLock { waiting.removeAll { $0 === job } }
    }

    /// What is to be run next, together; nil when all is done and nothing more will come.
    private func next() -> [InferenceJob]? {
        condition.withLock {
            while waiting.isEmpty {
                if isStopped { return nil }
                condition.wait()
            }
            let first = waiting.removeFirst()
            var jobs = [first]
            var images = first.imageCount
            let until = Date(timeIntervalSinceNow: limits.batchDelay.milliseconds / 1000)
            func gather() {
                var index = 0
                while index < waiting.count, images < limits.maxBatch {
                    let job = waiting[index]
                    if job.model === first.model, job.imageCount <= limits.maxBatch - images {
                        waiting.remove(at: index)
                        images += job.imageCount
                        jobs.append(job)
                    } else {
                        index += 1
                    }
                }
            }
            if case .detect = first.work {
                gather()
                while images < limits.maxBatch, !isStopped, condition.wait(until: until) { gather() }
            }
            running += jobs.count
            return jobs
        }
    }

    private func run(_ jobs: [InferenceJob]) {
        let start = ContinuousClock.now
        let deliveries = InferenceRun(jobs, maxBatch: limits.maxBatch).perform()
        let seconds = (ContinuousClock.now - start).milliseconds / 1000
        condition.withLock {
            running -= jobs.count
            runSeconds += (seconds / Double(jobs.count) - runSeconds) / 8
        }
        for deliver in deliveries { deliver() }
    }
}
