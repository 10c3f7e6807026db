internal import COnnxRuntime
internal import Synchronization

/// Stops a run from another thread.
///
/// ONNX Runtime looks at it between nodes. OpenVINO takes the whole model as one node, so there a run that has begun
/// ends by itself, and then throws `cancelled` all the same.
package final class RunCancellation: Sendable {
    private struct State: @unchecked Sendable {  // the pointer is used only under the lock, while the run holds it
        var isCancelled = false
        var run: (table: UnsafePointer<OrtTable>, options: OpaquePointer)?
    }

    private let state = Mutex(State())

    package init() {}

    package var isCancelled: Bool { state.withLock { $0.isCancelled } }

    package func cancel() {
        state.withLock { state in
            state.isCancelled = true
            if let run = state.run { RunCancellation.terminate(run.table, run.options) }
        }
    }

    /// Ties the run's options to this; a run that was cancelled before it began ends at its first node.
    func attach(_ options: OpaquePointer, table: UnsafePointer<OrtTable>) {
        let pair = UncheckedPair(table: table, options: options)
        state.withLock { state in
            state.run = (pair.table, pair.options)
            if state.isCancelled { RunCancellation.terminate(pair.table, pair.options) }
        }
    }

    func detach() { state.withLock { $0.run = nil } }

    private struct UncheckedPair: @unchecked Sendable {
        let table: UnsafePointer<OrtTable>
        let options: OpaquePointer
    }

    private static func terminate(_ table: UnsafePointer<OrtTable>, _ options: OpaquePointer) {
        if let status = OrtRunOptionsSetTerminate(table, options) { OrtReleaseStatus(table, status) }
    }
}
