internal import Engine

extension Detector {
    /// What loading has come to.
    public enum LoadProgress: Sendable, Hashable {
        /// The runtime is there, and the device chosen.
        case chosen(device: String)
        /// The device compiles the model, for one of several shapes.
        case compiling(shape: Int, of: Int)
    }

    /// Loads and compiles a model without blocking the caller's executor.
    ///
    /// Compiling a model for a GPU can take minutes. Cancelling the task ends the load after the shape that is being compiled.
    ///
    /// - Parameters:
    ///   - model: the demo model unless given.
    ///   - configuration: how it is to run.
    ///   - progress: called from the thread that loads, in order.
    /// - Throws: `ApusError`: with code `cancelled` if the task was cancelled, otherwise as `init(model:configuration:)`.
    public static func load(
        model: Model = .demo, configuration: Configuration = Configuration(),
        progress: @escaping @Sendable (LoadProgress) -> Void = { _ in }
    ) async throws -> Detector {
        try await RunCancellation.detached { cancellation in
            try Detector(model: model, configuration: configuration) { step throws(ApusError) in
                guard !cancellation.isCancelled else {
                    throw ApusError(.cancelled, doing: "load the model \(model.name)", cause: "the task was cancelled")
                }
                progress(step)
            }
        }
    }
}
