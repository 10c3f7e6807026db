/// What a workflow reports while it runs.
package enum WorkflowEvent: Sendable {
    /// Bytes moved so far; `total` is 0 where it isn't known.
    case progress(step: String, done: Int, total: Int)
    /// The step that reported progress has ended.
    case finished(step: String)
    case warning(String)
}

/// Called on the workflow's own task, in order.
package typealias WorkflowObserver = @Sendable (WorkflowEvent) -> Void
