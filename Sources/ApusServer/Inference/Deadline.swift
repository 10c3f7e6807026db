internal import Apus
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOPosix

/// Work that has to be done within a time.
enum Deadline {
    /// Cancels the work when the time is over, and throws the error then.
    ///
    /// `Task.sleep` would do, but one that is cancelled keeps its memory until its time has come: half a minute's requests.
    static func run<Value: Sendable>(
        within time: Duration, orThrow late: ServerError, _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let task = Task { try await work() }
        let isLate = NIOLockedValueBox(false)
        let timer = MultiThreadedEventLoopGroup.singleton.any().scheduleTask(
            in: TimeAmount(time)
        ) {
            isLate.withLockedValue { $0 = true }
            task.cancel()
        }
        defer { timer.cancel() }
        do {
            return try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        } catch {
            throw isLate.withLockedValue { $0 } ? late : error
        }
    }
}
