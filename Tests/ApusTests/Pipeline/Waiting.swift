import Foundation

/// Waits until something comes true, which only a hang keeps from happening: the tests' time limit ends it.
func eventually(_ condition: () -> Bool) async throws {
    while !condition() { try await Task.sleep(for: .milliseconds(1)) }
}

/// Holds up threads until it is opened.
final class Gate: Sendable {
    private let condition = NSCondition()
    private nonisolated(unsafe) var opened = false  // under the condition

    var isOpen: Bool { condition.withLock { opened } }

    func open() {
        condition.withLock {
            opened = true
            condition.broadcast()
        }
    }

    func wait() { condition.withLock { while !opened { condition.wait() } } }
}
