internal import Foundation

/// Runs tasks that may block: each job has a thread, however many block.
///
/// A dispatch queue's threads are limited to a few times the number of cores, so that on a small machine a few blocked jobs hold
/// up all others. Callers limit the number of jobs themselves.
final class BlockingExecutor: TaskExecutor, @unchecked Sendable {  // state is touched under the condition only
    static let shared = BlockingExecutor()

    /// How long an idle thread is kept.
    private static let patience: TimeInterval = 5

    private let condition = NSCondition()
    private var jobs: [UnownedJob] = []
    private var idle = 0

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let needsThread = condition.withLock {
            jobs.append(job)
            condition.signal()
            return jobs.count > idle
        }
        if needsThread { startThread() }
    }

    private func startThread() {
        let thread = Thread { [self] in
            while let job = next() { job.runSynchronously(on: asUnownedTaskExecutor()) }
        }
        thread.name = "apus.blocking"
        thread.start()
    }

    /// Nil if no job has arrived for a while.
    private func next() -> UnownedJob? {
        condition.withLock {
            let end = Date(timeIntervalSinceNow: BlockingExecutor.patience)
            idle += 1
            defer { idle -= 1 }
            while jobs.isEmpty {
                guard condition.wait(until: end) else { return jobs.isEmpty ? nil : jobs.removeFirst() }
            }
            return jobs.removeFirst()
        }
    }
}
