/// The limits of a work queue.
package struct WorkLimits: Sendable, Equatable {
    /// Max waiting jobs, in addition to running ones.
    package var queue: Int
    /// Max runs at the same time.
    package var concurrency: Int
    /// Max size of a run, in the runner's measure: images, say.
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

/// The current load of a work queue.
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

/// Why a work queue refuses work.
package enum WorkRefusal: Error, Sendable, Equatable {
    /// All places are taken. One should be free after about this time, if runs take as long as recent ones.
    case full(queue: Int, expectedWait: Duration)
    case stopped
}

/// A place in a work queue, returned when this object is released.
package final class WorkPlace: Sendable {
    private let leave: @Sendable () -> Void

    init(leave: @escaping @Sendable () -> Void) { self.leave = leave }

    deinit { leave() }
}

/// The output of a job, and how long the job waited for its run.
package struct WorkResult<Output: Sendable>: Sendable {
    package var output: Output
    package var waited: Duration
}
