/// What a model is compiled for.
package enum ExecutionTarget: Sendable, Hashable {
    /// The engine's own CPU kernels, which share no code with OpenVINO.
    case ownKernels
    /// OpenVINO on one device, by OpenVINO's name, computing in one precision.
    case openVINO(device: String, precision: ComputePrecision)
}

/// How a session is made.
package struct SessionOptions: Sendable {
    package var target: ExecutionTarget
    /// Where OpenVINO keeps what it compiles; nil for nowhere.
    package var cacheFolder: String?
    /// Threads of the engine's own kernels; nil leaves the choice to it.
    package var threads: Int?
    /// Fixes dynamic dimensions by the names that the model gives them.
    package var dimensions: [String: Int] = [:]
    /// Path prefix of a profile of each node's time; nil for none.
    package var profilePrefix: String?
    /// The folder in which a model in memory has its weights.
    package var weightsFolder: String?
    /// Nodes are fused, weights packed and memory planned to run faster, which takes a while when the model is loaded;
    /// without it a model that runs once or twice is done sooner.
    package var isOptimized = true

    package init(_ target: ExecutionTarget) { self.target = target }
}
