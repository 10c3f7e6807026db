internal import Foundation

/// State that several tasks change and wait for.
final class Monitor<State>: @unchecked Sendable {  // state and waiters are touched under the lock only
    /// Resumes its task if the state satisfies it; otherwise returns nil.
    private typealias Waiter = (inout State) -> (() -> Void)?

    private let lock = NSLock()
    private var state: State
    private var waiters: [Waiter] = []

    init(_ state: State) { self.state = state }

    /// Changes the state, and resumes the tasks whose condition it now satisfies.
    @discardableResult
    func update<Value>(_ body: (inout State) -> Value) -> Value {
        lock.lock()
        let value = body(&state)
        let resumed = settle()
        lock.unlock()
        for resume in resumed { resume() }
        return value
    }

    /// Waits until `condition` returns a value. It is called under the lock after each change, and may change the state itself
    /// when it returns a value. Cancelling the task doesn't end the wait: the condition must check for it.
    func wait<Value: Sendable>(for condition: @escaping @Sendable (inout State) -> Value?) async -> Value {
        await withCheckedContinuation { continuation in
            lock.lock()
            waiters.append { state in
                condition(&state).map { value in { continuation.resume(returning: value) } }
            }
            let resumed = settle()
            lock.unlock()
            for resume in resumed { resume() }
        }
    }

    /// Called under the lock. A waiter that is satisfied may change the state for earlier ones.
    private func settle() -> [() -> Void] {
        var resumed: [() -> Void] = []
        var index = 0
        while index < waiters.count {
            if let resume = waiters[index](&state) {
                waiters.remove(at: index)
                resumed.append(resume)
                index = 0
            } else {
                index += 1
            }
        }
        return resumed
    }
}
