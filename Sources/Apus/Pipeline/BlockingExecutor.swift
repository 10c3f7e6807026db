internal import Foundation

/// Runs tasks that may block: there is a thread for each job, however many block.
///
/// A dispatch queue has no more threads than a few times the processor's cores, so that on a small machine some blocked jobs hold
/// up all others. Whoever uses this bounds the number of its jobs itself.
final class BlockingExecutor: TaskExecutor, @unchecked Sendable {  // state is touched under the condition only
    static let shared = BlockingExecutor()

    /// For which an idle thread is kept.
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

    /// Nil if none has come for a while.
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
