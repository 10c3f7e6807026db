internal import Foundation

/// The SHA-256 of a file, computed beside other work on a thread of its own.
final class BackgroundDigest: @unchecked Sendable {  // written once, before the semaphore is signalled
    private let isDone = DispatchSemaphore(value: 0)
    private var digest = ""

    init(_ bytes: Bytes) {
        Thread.detachNewThread {
            self.digest = SHA256.digest(bytes)
            self.isDone.signal()
        }
    }

    /// Waits for it.
    var value: String {
        isDone.wait()
        defer { isDone.signal() }
        return digest
    }
}
