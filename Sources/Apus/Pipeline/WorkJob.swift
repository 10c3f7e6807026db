internal import Engine

/// Work that waits in a queue or runs.
final class WorkJob<Runner: BatchRunner>: Sendable {
    /// Hands a result to its caller.
    typealias Delivery = @Sendable () -> Void

    enum Work: Sendable {
        case batch(Runner.Input, FirstResult<WorkResult<Runner.Output>>)
        /// Runs on its own.
        case alone(@Sendable (RunCancellation, _ waited: Duration) -> Delivery)
    }

    let work: Work
    /// Kept until the run ends, even if no caller waits for it any more.
    let place: WorkPlace?
    let submitted = ContinuousClock.now
    let cancellation = RunCancellation()

    init(_ work: Work, _ place: WorkPlace?) {
        self.work = work
        self.place = place
    }

    /// Nil for work that runs on its own.
    var input: Runner.Input? { if case .batch(let input, _) = work { input } else { nil } }

    /// Runs jobs together, on the calling thread.
    ///
    /// - Returns: one delivery per job.
    static func run(_ jobs: [WorkJob], with runner: Runner) -> [Delivery] {
        let start = ContinuousClock.now
        if jobs.count == 1, case .alone(let work) = jobs[0].work {
            return [work(jobs[0].cancellation, start - jobs[0].submitted)]
        }
        return zip(jobs, results(of: jobs, with: runner)).map { job, result in
            guard case .batch(_, let first) = job.work else { preconditionFailure("unbatched work runs alone") }
            let waited = start - job.submitted
            return { first.set(result.map { WorkResult(output: $0, waited: waited) }) }
        }
    }

    private static func results(of jobs: [WorkJob], with runner: Runner) -> [Result<Runner.Output, any Error>] {
        let items = jobs.compactMap { job in job.input.map { BatchItem($0, cancellation: job.cancellation) } }
        do {
            let results = try runner.run(items)
            precondition(results.count == items.count, "a runner returns one result per input")
            return results
        } catch {
            return jobs.count == 1 ? [.failure(error)] : jobs.flatMap { results(of: [$0], with: runner) }
        }
    }
}
