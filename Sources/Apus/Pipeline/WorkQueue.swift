package import Engine
internal import Foundation

/// Runs jobs in order on threads of its own, and refuses more than it can hold.
///
/// Callers that are not bounded otherwise first take a place (`admit`), then submit. Jobs of several callers share a run if their
/// keys are equal.
package final class WorkQueue<Runner: BatchRunner>: @unchecked Sendable {  // state is touched under the condition only
    package let limits: WorkLimits
    private let runner: Runner
    private let condition = NSCondition()
    private var waiting: [WorkJob<Runner>] = []
    private var admitted = 0
    private var running = 0
    private var isStopped = false
    /// How long a job takes, averaged over the last few.
    private var jobSeconds = 0.1

    /// Starts the threads, which retain the queue until `stop` is called.
    package init(_ limits: WorkLimits, name: String, runner: Runner) {
        self.limits = limits
        self.runner = runner
        for index in 0..<limits.concurrency {
            // Inference blocks, so it must not run on the cooperative pool.
            let thread = Thread { [weak self] in
                while let next = self.map({ $0.next() }) {
                    guard let jobs = next else { return }
                    self?.run(jobs)
                }
            }
            thread.name = "\(name).\(index)"
            thread.stackSize = 4 << 20
            thread.start()
        }
    }

    package var load: WorkLoad {
        condition.withLock { WorkLoad(admitted: admitted, queued: waiting.count, running: running) }
    }

    // MARK: Places

    /// Takes a place. Keep it until the response is ready; a job keeps it until no part of it runs any more.
    package func admit() throws(WorkRefusal) -> WorkPlace {
        let refusal = condition.withLock {
            let refusal = self.refusal
            if refusal == nil { admitted += 1 }
            return refusal
        }
        if let refusal { throw refusal }
        return WorkPlace { [self] in condition.withLock { admitted -= 1 } }
    }

    /// Throws if `admit` would, without taking a place.
    package func requireRoom() throws(WorkRefusal) {
        if let refusal = condition.withLock({ refusal }) { throw refusal }
    }

    /// Called under the condition.
    private var refusal: WorkRefusal? {
        if isStopped { return .stopped }
        guard admitted >= limits.queue + limits.concurrency else { return nil }
        return .full(
            queue: limits.queue, expectedWait: .seconds(Double(admitted) * jobSeconds / Double(limits.concurrency)))
    }

    // MARK: Work

    /// Runs an input, batched with others where possible.
    ///
    /// - Throws: what the runner throws; `CancellationError` at once if the task is cancelled; `WorkRefusal.stopped`.
    package func run(_ input: Runner.Input, in place: WorkPlace? = nil) async throws -> WorkResult<Runner.Output> {
        let result = FirstResult<WorkResult<Runner.Output>>()
        return try await submit(WorkJob(.batch(input, result), place), result)
    }

    /// Does other blocking work on a thread of the queue. Cancelling the task cancels the runs tied to the cancellation.
    ///
    /// - Throws: what the work throws; `CancellationError` at once if the task is cancelled; `WorkRefusal.stopped`.
    package func perform<Output: Sendable>(
        in place: WorkPlace? = nil, _ work: @escaping @Sendable (RunCancellation) throws -> Output
    ) async throws -> WorkResult<Output> {
        let result = FirstResult<WorkResult<Output>>()
        let job = WorkJob<Runner>(
            .alone { cancellation, waited in
                let output = Result { try work(cancellation) }
                return { result.set(output.map { WorkResult(output: $0, waited: waited) }) }
            }, place)
        return try await submit(job, result)
    }

    /// Ends the threads once all waiting jobs are done.
    package func stop() {
        condition.withLock {
            isStopped = true
            condition.broadcast()
        }
    }

    private func submit<Output>(
        _ job: WorkJob<Runner>, _ result: FirstResult<WorkResult<Output>>
    ) async throws -> WorkResult<Output> {
        try await withTaskCancellationHandler {
            try await result.wait { if !enqueue(job) { result.set(.failure(WorkRefusal.stopped)) } }
        } onCancel: {
            cancel(job)
        }
    }

    /// - Returns: false if the queue is stopped. A cancelled job is left out: no caller waits for it.
    private func enqueue(_ job: WorkJob<Runner>) -> Bool {
        condition.withLock {
            if isStopped { return false }
            guard !job.cancellation.isCancelled else { return true }
            waiting.append(job)
            condition.broadcast()
            return true
        }
    }

    /// `FirstResult` resumes the waiting task at once; a run that OpenVINO has started runs to completion.
    private func cancel(_ job: WorkJob<Runner>) {
        job.cancellation.cancel()
        condition.withLock { waiting.removeAll { $0 === job } }
    }

    // MARK: Threads

    /// The jobs to run next, together; nil when all are done and no more will come.
    private func next() -> [WorkJob<Runner>]? {
        condition.withLock {
            while waiting.isEmpty {
                if isStopped { return nil }
                condition.wait()
            }
            var jobs = [waiting.removeFirst()]
            if let input = jobs[0].input {
                var size = runner.size(of: input)
                let until = Date(timeIntervalSinceNow: limits.batchDelay.milliseconds / 1000)
                gather(&jobs, &size, runner.key(of: input))
                while size < limits.maxBatch, !isStopped, condition.wait(until: until) {
                    gather(&jobs, &size, runner.key(of: input))
                }
            }
            running += jobs.count
            return jobs
        }
    }

    /// Takes the waiting jobs that fit into the run. Called under the condition.
    private func gather(_ jobs: inout [WorkJob<Runner>], _ size: inout Int, _ key: Runner.Key) {
        var index = 0
        while index < waiting.count, size < limits.maxBatch {
            if let input = waiting[index].input, runner.key(of: input) == key,
                runner.size(of: input) <= limits.maxBatch - size
            {
                size += runner.size(of: input)
                jobs.append(waiting.remove(at: index))
            } else {
                index += 1
            }
        }
    }

    private func run(_ jobs: [WorkJob<Runner>]) {
        let start = ContinuousClock.now
        let deliveries = WorkJob.run(jobs, with: runner)
        let seconds = (ContinuousClock.now - start).milliseconds / 1000
        condition.withLock {
            running -= jobs.count
            jobSeconds += (seconds / Double(jobs.count) - jobSeconds) / 8
        }
        for deliver in deliveries { deliver() }
    }
}
