internal import Engine

/// A result that one task waits for, until it is set or the task is cancelled. Only the first one counts.
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

    /// - Parameter begin: starts the work that sets the result; not called if the task is already cancelled.
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
