/// What a workflow reports while it runs.
public enum WorkflowEvent: Sendable {
    /// Bytes processed so far; `total` is 0 if unknown.
    case progress(step: String, done: Int, total: Int)
    /// The step that reported progress has ended.
    case finished(step: String)
    /// A warning for the user, in one sentence.
    case warning(String)
}

/// Called on the workflow's own task, in order.
public typealias WorkflowObserver = @Sendable (WorkflowEvent) -> Void
