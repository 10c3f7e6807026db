#if Server
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
            let submitted = ContinuousClock.now
            let cancellation = RunCancellation()
            /// Nil once it was answered.
            var finish: ((Result<(any Sendable, Duration, Int), any Error>) -> Void)?

            init(_ model: ServedModel, _ work: Work) {
                self.model = model
                self.work = work
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

        /// Takes a place, which the request keeps until it is answered.
        package func admit() throws(ServerError) -> Place {
            let refusal: ServerError? = condition.withLock {
                if isStopped { return .stopping }
                guard admitted < limits.queue + limits.concurrency else {
                    let seconds = Double(admitted) * runSeconds / Double(limits.concurrency)
                    return .overloaded(queue: limits.queue, retryAfter: max(1, min(60, Int(seconds.rounded(.up)))))
                }
                admitted += 1
                return nil
            }
            if let refusal { throw refusal }
            return Place(self)
        }

        private func leave() { condition.withLock { admitted -= 1 } }

        /// Finds objects in a request's pictures, which are decoded on the same thread, so that only as many lie decoded in
        /// memory as are run.
        package func detect(
            _ pictures: [EncodedPicture], with model: ServedModel, threshold: Float
        ) async throws -> Outcome<[PictureResult]> {
            try await submit(Job(model, .detect(pictures, threshold)))
        }

        /// Does other blocking work with a model; cancelling the task cancels the runs that are tied to the cancellation.
        package func perform<Value: Sendable>(
            with model: ServedModel, _ work: @escaping @Sendable (RunCancellation) throws -> Value
        ) async throws -> Outcome<Value> {
            try await submit(Job(model, .other(work)))
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
            let results = outcomes(jobs)
            let pictures = jobs.reduce(0) { $0 + ($1.pictures == .max ? 1 : $1.pictures) }
            let seconds = (ContinuousClock.now - start).milliseconds / 1000
            let finishes = condition.withLock {
                running -= jobs.count
                runSeconds += (seconds / Double(jobs.count) - runSeconds) / 8
                return zip(jobs, results).map { job, result in
                    defer { job.finish = nil }
                    return (job.finish, result.map { ($0, start - job.submitted, pictures) })
                }
            }
            for (finish, result) in finishes { finish?(result) }
        }

        private func outcomes(_ jobs: [Job]) -> [Result<any Sendable, any Error>] {
            if jobs.count == 1, case .other(let work) = jobs[0].work {
                return [Result { try work(jobs[0].cancellation) }]
            }
            let decoded = jobs.map { job in Result { try InferenceQueue.decode(job) } }
            let images = decoded.flatMap { ((try? $0.get()) ?? []).map(\.image) }
            guard !images.isEmpty else { return decoded.map { $0.map { _ in [PictureResult]() } } }
            // Each request has a threshold of its own; what is above the lowest is sorted out below.
            let lowest = jobs.map(\.threshold).min() ?? 0
            let cancellation = jobs.count == 1 ? jobs[0].cancellation : nil
            var found: ArraySlice<DetectionResult>
            do {
                found = try jobs[0].model.detector.detect(
                    images, threshold: lowest, cancellation: cancellation)[...]
            } catch {
                // One picture of several may be at fault: each request alone.
                return jobs.count > 1 ? jobs.flatMap { outcomes([$0]) } : [.failure(error)]
            }
            return zip(jobs, decoded).map { job, decoded in
                decoded.map { pictures in
                    let own = found.prefix(pictures.count)
                    found = found.dropFirst(pictures.count)
                    return zip(pictures, own).map { picture, result in
                        var result = result
                        result.detections.removeAll { $0.score <= job.threshold }
                        return PictureResult(
                            name: picture.name, result: result, decode: picture.duration,
                            warning: picture.image.warning, image: picture.keeps ? picture.image : nil)
                    }
                }
            }
        }

        private typealias Decoded = (name: String?, image: Image, duration: Duration, keeps: Bool)

        private static func decode(_ job: Job) throws -> [Decoded] {
            guard case .detect(let pictures, _) = job.work else { return [] }
            return try pictures.map { picture in
                let start = ContinuousClock.now
                let image = try Image(
                    decoding: picture.bytes, name: picture.name ?? "the picture", limits: picture.limits)
                return (picture.name, image, ContinuousClock.now - start, picture.isKept)
            }
        }
    }

    /// A picture as a client sent it.
    package struct EncodedPicture: Sendable {
        /// What the client calls it.
        package var name: String?
        package var bytes: [UInt8]
        package var limits: Image.Limits
        /// Whether the decoded picture is wanted back, to be drawn on.
        package var isKept: Bool
        /// By which its bytes count as long as it is there.
        package var lease: BodyReader.Lease?

        package init(
            name: String?, bytes: [UInt8], limits: Image.Limits, isKept: Bool = false, lease: BodyReader.Lease? = nil
        ) {
            self.name = name
            self.bytes = bytes
            self.limits = limits
            self.isKept = isKept
            self.lease = lease
        }
    }

    /// What was found in a picture.
    package struct PictureResult: Sendable {
        package var name: String?
        package var result: DetectionResult
        package var decode: Duration
        /// What the decoder found wrong, but could work around.
        package var warning: String?
        package var image: Image?
    }
#endif
