/// What a work queue holds and runs at most.
package struct WorkLimits: Sendable, Equatable {
    /// Jobs that may wait, beside those that run.
    package var queue: Int
    /// Runs at the same time.
    package var concurrency: Int
    /// Size of a run, in the runner's measure: images, say.
    package var maxBatch: Int
    /// How long a run waits for more jobs.
    package var batchDelay: Duration

    package init(queue: Int = 64, concurrency: Int = 1, maxBatch: Int = 1, batchDelay: Duration = .zero) {
        self.queue = queue
        self.concurrency = concurrency
        self.maxBatch = maxBatch
        self.batchDelay = batchDelay
    }
}

/// What a work queue has to do now.
package struct WorkLoad: Sendable, Equatable {
    package var admitted: Int
    package var queued: Int
    package var running: Int

    package init(admitted: Int, queued: Int, running: Int) {
        self.admitted = admitted
        self.queued = queued
        self.running = running
    }
}

/// Why a work queue takes no more.
package enum WorkRefusal: Error, Sendable, Equatable {
    /// All places are taken. They are free after about this time, if runs take as long as the last ones did.
    case full(queue: Int, expectedWait: Duration)
    case stopped
}

/// A place in a work queue. It is given back when this goes away.
package final class WorkPlace: Sendable {
    private let leave: @Sendable () -> Void

    init(leave: @escaping @Sendable () -> Void) { self.leave = leave }

    deinit { leave() }
}

/// The output of a job, and how long it waited for its run.
package struct WorkResult<Output: Sendable>: Sendable {
    package var output: Output
    package var waited: Duration
}
