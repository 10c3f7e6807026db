internal import COnnxRuntime
internal import Dispatch

/// Stops a run from another thread.
///
/// ONNX Runtime looks at it between nodes. OpenVINO takes the whole model as one node, so there a run that has begun
/// ends by itself, and then throws `cancelled` all the same.
package final class RunCancellation: Sendable {
    private struct State {
        var isCancelled = false
        /// Used only under the lock, while the run holds the options.
        var run: (table: UnsafePointer<OrtTable>, options: OpaquePointer)?
    }

    private let state = Locked(State())

    /// Blocking work waits here, so that none of it holds a thread of the cooperative pool.
    private static let queue = DispatchQueue(label: "apus.run", attributes: .concurrent)

    package init() {}

    /// Does blocking work without blocking the caller's executor; cancelling the task cancels the runs that `work` ties
    /// to the cancellation it is given.
    package static func detached<Result: Sendable>(
        _ work: @escaping @Sendable (RunCancellation) throws -> Result
    ) async throws -> Result {
        let cancellation = RunCancellation()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                queue.async {
                    continuation.resume(with: Swift.Result { try work(cancellation) })
                }
            }
        } onCancel: {
            cancellation.cancel()
        }
    }

    package var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Whether a run that could be stopped has begun.
    package var isRunning: Bool { state.withLock { $0.run != nil } }

    package func cancel() {
        state.withLock { state in
            state.isCancelled = true
            if let run = state.run { RunCancellation.terminate(run.table, run.options) }
        }
    }

    /// Ties the run's options to this; a run that was cancelled before it began ends at its first node.
    func attach(_ options: OpaquePointer, table: UnsafePointer<OrtTable>) {
        state.withLock { state in
            state.run = (table, options)
            if state.isCancelled { RunCancellation.terminate(table, options) }
        }
    }

    func detach() { state.withLock { $0.run = nil } }

    private static func terminate(_ table: UnsafePointer<OrtTable>, _ options: OpaquePointer) {
        if let status = OrtRunOptionsSetTerminate(table, options) { OrtReleaseStatus(table, status) }
    }
}
