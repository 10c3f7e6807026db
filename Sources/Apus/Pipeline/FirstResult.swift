internal import Engine

/// The result that one task waits for, until it is there or the task is cancelled. Only the first counts.
package final class FirstResult<Value: Sendable>: Sendable {
    private struct State {
        var result: Result<Value, any Error>?
        var waiting: CheckedContinuation<Value, any Error>?
    }

    private let state = Locked(State())

    package init() {}

    package var isThere: Bool { state.withLock { $0.result != nil } }

    package func set(_ result: Result<Value, any Error>) {
        let waiting = state.withLock { state -> CheckedContinuation<Value, any Error>? in
            guard state.result == nil else { return nil }
            state.result = result
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume(with: result)
    }

    /// - Parameter begin: starts what sets the result; not called for a task that was cancelled before.
    package func wait(_ begin: () -> Void) async throws -> Value {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result = state.withLock { state in
                    if state.result == nil { state.waiting = continuation }
                    return state.result
                }
                if let result { continuation.resume(with: result) } else { begin() }
            }
        } onCancel: {
            set(.failure(CancellationError()))
        }
    }
}
