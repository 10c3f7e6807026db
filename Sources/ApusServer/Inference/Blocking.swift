internal import Apus
package import Dispatch

/// Blocking work off the cooperative pool.
package enum Blocking {
    private static let queue = DispatchQueue(label: "apus.blocking", attributes: .concurrent)

    /// Returns at once when the task is cancelled; work that has begun continues, but nothing waits for it.
    package static func run<Value: Sendable>(
        on queue: DispatchQueue? = nil, _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        let first = FirstResult<Value>()
        return try await first.wait {
            (queue ?? Blocking.queue).async {
                guard !first.isThere else { return }
                first.set(Result { try work() })
            }
        }
    }
}
