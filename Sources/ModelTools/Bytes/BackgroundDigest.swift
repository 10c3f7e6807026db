internal import Foundation
internal import Hashing
internal import ONNX

/// The SHA-256 of a file, computed in parallel to other work on a thread of its own.
final class BackgroundDigest: @unchecked Sendable {  // mutable state is touched under the lock only
    private let condition = NSCondition()
    private let bytes: Bytes
    private var isStarted = false
    private var digest: String?

    init(_ bytes: Bytes) { self.bytes = bytes }

    /// Starts the computation; calling it again does nothing.
    func start() {
        condition.lock()
        defer { condition.unlock() }
        guard !isStarted else { return }
        isStarted = true
        Thread.detachNewThread {
            let digest = SHA256.digest(self.bytes)
            self.condition.lock()
            self.digest = digest
            self.condition.broadcast()
            self.condition.unlock()
        }
    }

    /// Waits for the result.
    var value: String {
        start()
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let digest { return digest }
            condition.wait()
        }
    }
}
