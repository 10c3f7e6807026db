internal import Engine

extension Detector {
    /// A step of loading a model.
    public enum LoadProgress: Sendable, Hashable {
        /// The runtime is loaded and the device chosen.
        case chosen(device: String)
        /// The device is compiling the model for one of several shapes.
        case compiling(shape: Int, of: Int)
    }

    /// Loads and compiles a model without blocking the caller's executor.
    ///
    /// Compiling a model for a GPU can take minutes. After cancellation, loading ends once the current shape is compiled.
    ///
    /// - Parameters:
    ///   - model: the demo model by default.
    ///   - configuration: how to run it.
    ///   - progress: called from the loading thread, in order.
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
