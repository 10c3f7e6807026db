#if Server
    internal import Dispatch

    /// Blocking work off the cooperative pool.
    enum Blocking {
        private static let queue = DispatchQueue(label: "apus.blocking", attributes: .concurrent)

        static func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
            try await withCheckedThrowingContinuation { continuation in
                queue.async { continuation.resume(with: Result { try work() }) }
            }
        }
    }
#endif
