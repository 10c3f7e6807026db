/// The target that a model is compiled for.
package enum ExecutionTarget: Sendable, Hashable {
    /// The engine's own CPU kernels, which share no code with OpenVINO.
    case ownKernels
    /// OpenVINO on one device, by OpenVINO's name, computing in one precision.
    case openVINO(device: String, precision: ComputePrecision)
}

/// How a session is made.
package struct SessionOptions: Sendable {
    package var target: ExecutionTarget
    /// Where OpenVINO caches compiled models; nil for nowhere.
    package var cacheFolder: String?
    /// Threads of the engine's own kernels; nil lets the engine choose.
    package var threads: Int?
    /// Fixes dynamic dimensions, by the model's names for them.
    package var dimensions: [String: Int] = [:]
    /// Path prefix of a profile of each node's time; nil for none.
    package var profilePrefix: String?
    /// The folder in which a model in memory has its weights.
    package var weightsFolder: String?
    /// Whether to fuse nodes, pack weights and plan memory at load time. Turning it off is faster for a model that runs only once
    /// or twice.
    package var isOptimized = true
    /// Whether the engine measures each layer, so that it can report in which precision it ran.
    package var reportsLayers = false

    package init(_ target: ExecutionTarget) { self.target = target }
}
