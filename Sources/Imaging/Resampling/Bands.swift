internal import Dispatch

/// Parts of an image that are computed independently, on several cores where that pays off.
enum Bands {
    /// Below this many multiplications per channel, a second thread doesn't pay off.
    private static let parallelThreshold = 1_000_000
    /// Bands of fewer rows would compute too many rows at their edges twice.
    private static let minRows = 16

    /// Calls `body` with consecutive ranges that make up `0..<height`, possibly at the same time.
    static func forEach(height: Int, multiplications: Int, _ body: @Sendable (Range<Int>) -> Void) {
        let bands = multiplications < parallelThreshold ? 1 : min(16, height / minRows)
        if bands < 2 { return body(0..<height) }
        DispatchQueue.concurrentPerform(iterations: bands) { band in
            body((height * band / bands)..<(height * (band + 1) / bands))
        }
    }
}
