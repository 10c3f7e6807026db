internal import Dispatch
internal import NIOConcurrencyHelpers

/// Blocking work off the cooperative pool.
enum Blocking {
    private static let queue = DispatchQueue(label: "apus.blocking", attributes: .concurrent)

    /// Ends at once when the task is cancelled: work that has begun goes on, but nobody waits for it.
    static func run<Value: Sendable>(
        on queue: DispatchQueue = queue, _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        let outcome = Outcome<Value>()
        return try await outcome.wait {
            queue.async {
                guard !outcome.isThere else { return }
                outcome.set(Result { try work() })
            }
        }
    }
}

/// What one task waits for, until it is there or the task is cancelled. The first outcome counts.
final class Outcome<Value: Sendable>: Sendable {
    private struct State {
        var result: Result<Value, any Error>?
        var waiting: CheckedContinuation<Value, any Error>?
    }

    private let state = NIOLockedValueBox(State())

    var isThere: Bool { state.withLockedValue { $0.result != nil } }

    func set(_ result: Result<Value, any Error>) {
        let waiting = state.withLockedValue { state -> CheckedContinuation<Value, any Error>? in
            guard state.result == nil else { return nil }
            state.result = result
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume(with: result)
    }

    /// - Parameter begin: starts what sets the outcome; not called for a task that was cancelled before.
    func wait(_ begin: () -> Void) async throws -> Value {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result = state.withLockedValue { state in
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
