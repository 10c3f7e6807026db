internal import Engine

/// Work that waits in a queue, or runs.
final class WorkJob<Runner: BatchRunner>: Sendable {
    /// Hands a result to whoever waits for it.
    typealias Delivery = @Sendable () -> Void

    enum Work: Sendable {
        case batch(Runner.Input, FirstResult<WorkResult<Runner.Output>>)
        /// Shares a run with nothing.
        case alone(@Sendable (RunCancellation, _ waited: Duration) -> Delivery)
    }

    let work: Work
    /// Kept until the run ends, even if nobody waits for it any more.
    let place: WorkPlace?
    let submitted = ContinuousClock.now
    let cancellation = RunCancellation()

    init(_ work: Work, _ place: WorkPlace?) {
        self.work = work
        self.place = place
    }

    /// Nil for work that shares a run with nothing.
    var input: Runner.Input? { if case .batch(let input, _) = work { input } else { nil } }

    /// Runs jobs at the same time, on this thread.
    ///
    /// - Returns: a delivery for each.
    static func run(_ jobs: [WorkJob], with runner: Runner) -> [Delivery] {
        let start = ContinuousClock.now
        if jobs.count == 1, case .alone(let work) = jobs[0].work {
            return [work(jobs[0].cancellation, start - jobs[0].submitted)]
        }
        return zip(jobs, results(of: jobs, with: runner)).map { job, result in
            guard case .batch(_, let first) = job.work else { preconditionFailure("work of its own runs alone") }
            let waited = start - job.submitted
            return { first.set(result.map { WorkResult(output: $0, waited: waited) }) }
        }
    }

    private static func results(of jobs: [WorkJob], with runner: Runner) -> [Result<Runner.Output, any Error>] {
        let items = jobs.compactMap { job in job.input.map { BatchItem($0, cancellation: job.cancellation) } }
        do {
            let results = try runner.run(items)
            precondition(results.count == items.count, "a runner returns one result for each input")
            return results
        } catch {
            return jobs.count == 1 ? [.failure(error)] : jobs.flatMap { results(of: [$0], with: runner) }
        }
    }
}
