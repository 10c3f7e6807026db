internal import Foundation
internal import Hashing
internal import ONNX

/// The SHA-256 of a file, computed beside other work on a thread of its own once it is started.
final class BackgroundDigest: @unchecked Sendable {  // what changes is touched under the lock only
    private let condition = NSCondition()
    private let bytes: Bytes
    private var isStarted = false
    private var digest: String?

    init(_ bytes: Bytes) { self.bytes = bytes }

    /// Starts it; does nothing the second time.
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

    /// Waits for it.
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
