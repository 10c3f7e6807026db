internal import Apus
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOPosix

/// The task that does a request's work. It is cancelled when the client disconnects or a step times out.
package final class RequestTask: Sendable {
    private struct State {
        var isCancelled = false
        /// Nil before the work begins, and after it ends.
        var cancelTask: (@Sendable () -> Void)?
    }

    private enum Step {
        case running
        case done
        case late
    }

    private let state = NIOLockedValueBox(State())

    package init() {}

    /// Does the work once, in a new task; cancelling the caller's task cancels it too.
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

    /// Does a step of the work in the same task. If the step times out, cancels the task and throws the error.
    ///
    /// Not `Task.sleep`: a cancelled sleep keeps its memory until its deadline, which would add up over 30 s of requests.
    package func within<Value>(
        _ time: Duration, orThrow late: ServerError, _ step: () async throws -> Value
    ) async throws -> Value {
        let progress = NIOLockedValueBox(Step.running)
        /// The end of the step or the timer, whichever comes first.
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
