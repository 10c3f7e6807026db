#if Server
    internal import Dispatch
    internal import NIOConcurrencyHelpers

    /// Blocking work off the cooperative pool.
    enum Blocking {
        private static let queue = DispatchQueue(label: "apus.blocking", attributes: .concurrent)

        /// Ends at once when the task is cancelled: work that has begun goes on, but nobody waits for it.
        static func run<Value: Sendable>(
            on queue: DispatchQueue = queue, _ work: @escaping @Sendable () throws -> Value
        ) async throws -> Value {
            let waiting = NIOLockedValueBox<CheckedContinuation<Value, any Error>?>(nil)
            let isCancelled = NIOLockedValueBox(false)
            @Sendable func take() -> CheckedContinuation<Value, any Error>? {
                waiting.withLockedValue { waiting in
                    defer { waiting = nil }
                    return waiting
                }
            }
            return try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in
                    waiting.withLockedValue { $0 = continuation }
                    if isCancelled.withLockedValue({ $0 }) {
                        take()?.resume(throwing: CancellationError())
                        return
                    }
                    queue.async {
                        if isCancelled.withLockedValue({ $0 }) { return }
                        let result = Result { try work() }
                        take()?.resume(with: result)
                    }
                }
            } onCancel: {
                isCancelled.withLockedValue { $0 = true }
                take()?.resume(throwing: CancellationError())
            }
        }
    }
#endif
