/// What a workflow reports while it runs.
public enum WorkflowEvent: Sendable {
    /// Bytes moved so far; `total` is 0 where it isn't known.
    case progress(step: String, done: Int, total: Int)
    /// The step that reported progress has ended.
    case finished(step: String)
    /// Something that the user should know, in a sentence.
    case warning(String)
}

/// Called on the workflow's own task, in order.
public typealias WorkflowObserver = @Sendable (WorkflowEvent) -> Void
