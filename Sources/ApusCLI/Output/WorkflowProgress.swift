import ApusWorkflows
import CommandSupport
import Foundation

extension Terminal {
    /// Shows a workflow's progress: a bar for transfers, a line per warning.
    static func observer() -> WorkflowObserver {
        let bars = Bars()
        return { event in
            switch event {
            case .progress(let step, let done, let total): bars.show(step, done, of: total)
            case .finished(let step): bars.clear(step)
            case .warning(let text): warn(text)
            }
        }
    }

    private final class Bars: @unchecked Sendable {  // accessed only under the lock
        private let lock = NSLock()
        private var bars: [String: ByteProgress] = [:]

        func show(_ step: String, _ done: Int, of total: Int) {
            lock.withLock { bars[step, default: ByteProgress(step)].show(done, of: total) }
        }

        func clear(_ step: String) { lock.withLock { bars.removeValue(forKey: step)?.clear() } }
    }
}
