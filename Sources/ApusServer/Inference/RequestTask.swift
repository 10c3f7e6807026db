internal import Apus
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOPosix

/// The one task that does a request's work. It is cancelled when the client goes away, or when a step takes longer than it may.
package final class RequestTask: Sendable {
    private struct State {
        var isCancelled = false
        /// Nil before the work begins and after it ends.
        var cancelTask: (@Sendable () -> Void)?
    }

    private enum Step {
        case running
        case done
        case late
    }

    private let state = NIOLockedValueBox(State())

    package init() {}

    /// Does the work in a task of its own, once; cancelling the caller's task cancels it too.
    package func run<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let task = Task { try await work() }
        let isCancelled = state.withLockedValue { state in
            state.cancelTask = { task.cancel() }
            return state.isCancelled
        }
        if isCancelled { task.cancel() }
        defer { state.withLockedValue { $0.cancelTask = nil } }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    package func cancel() {
        let cancelTask = state.withLockedValue { state in
            state.isCancelled = true
            return state.cancelTask
        }
        cancelTask?()
    }

    /// Does a step of the work in the same task. If the step takes longer than it may, the task is cancelled and the error thrown.
    ///
    /// `Task.sleep` would do for the timer, but a cancelled one keeps its memory until its time has come: half a minute's requests.
    package func within<Value>(
        _ time: Duration, orThrow late: ServerError, _ step: () async throws -> Value
    ) async throws -> Value {
        let progress = NIOLockedValueBox(Step.running)
        /// Only the first of the step's end and the timer counts.
        @Sendable func settle(_ end: Step) -> Bool {
            progress.withLockedValue { progress in
                guard case .running = progress else { return false }
                progress = end
                return true
            }
        }
        let timer = MultiThreadedEventLoopGroup.singleton.any().scheduleTask(in: TimeAmount(time)) {
            if settle(.late) { self.cancel() }
        }
        defer { timer.cancel() }
        do {
            let value = try await step()
            guard settle(.done) else { throw late }
            return value
        } catch {
            if case .late = progress.withLockedValue({ $0 }) { throw late }
            throw error
        }
    }
}
