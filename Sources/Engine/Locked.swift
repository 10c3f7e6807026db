internal import Foundation

/// A value behind a lock.
///
/// Not `Synchronization.Mutex`, because the thread sanitizer doesn't know its futex and reports every use as a race.
package final class Locked<Value>: @unchecked Sendable {  // the value is touched under the lock only
    private let lock = NSLock()
    private var value: Value

    package init(_ value: Value) { self.value = value }

    package func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&value)
    }
}
