internal import Dispatch

/// Stops a run from another thread.
///
/// ONNX Runtime checks it between nodes. Its OpenVINO provider takes the whole model as one node, so a run that has started there
/// runs to completion, and still throws `cancelled`.
package final class RunCancellation: Sendable {
    private struct State {
        var isCancelled = false
        /// Stops the run in progress; called under the lock only.
        var stop: (() -> Void)?
    }

    private let state = Locked(State())

    /// Blocking work runs here, so that it doesn't hold a thread of the cooperative pool.
    private static let queue = DispatchQueue(label: "apus.run", attributes: .concurrent)

    package init() {}

    /// Does blocking work without blocking the caller's executor. Cancelling the task cancels the runs that `work` attaches to
    /// its cancellation.
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
    package var isRunning: Bool { state.withLock { $0.stop != nil } }

    package func cancel() {
        state.withLock { state in
            state.isCancelled = true
            state.stop?()
        }
    }

    /// Attaches a run until `detach`; if already cancelled, the run is stopped at once.
    package func attach(_ stop: @escaping () -> Void) {
        state.withLock { state in
            state.stop = stop
            if state.isCancelled { stop() }
        }
    }

    package func detach() { state.withLock { $0.stop = nil } }
}
