/// Where a session's nodes run.
package enum ExecutionProvider: Sendable, Equatable {
    /// ONNX Runtime's own CPU kernels.
    case cpu
    /// Intel's OpenVINO, on the device that the options name.
    case openVINO(OpenVINOOptions)

    /// ONNX Runtime's name of the provider.
    package var name: String {
        switch self {
        case .cpu: "CPUExecutionProvider"
        case .openVINO: "OpenVINOExecutionProvider"
        }
    }
}

/// How a session is made.
package struct SessionOptions: Sendable {
    package var provider: ExecutionProvider
    /// Threads of ONNX Runtime's own CPU provider; nil leaves the choice to it.
    package var threads: Int?
    /// Fixes dynamic dimensions by the names that the model gives them.
    package var dimensions: [String: Int] = [:]
    /// Path prefix of a profile of each node's time; nil for none. `Session.endProfiling()` writes it.
    package var profilePrefix: String?
    /// The folder in which a model in memory has its weights.
    package var weightsFolder: String?
    /// Nodes are fused, weights packed and memory planned to run faster, which takes a while when the model is loaded;
    /// without it a model that runs once or twice is done sooner.
    package var isOptimized = true

    package init(provider: ExecutionProvider) {
        self.provider = provider
    }
}

/// Where a model's bytes are.
package enum ModelSource: Sendable {
    case file(String)
    case bytes([UInt8])
    /// Memory that stays as it is for as long as the process lives.
    case embedded(name: String, bytes: @Sendable () -> UnsafeRawBufferPointer)

    /// What messages call the model.
    package var name: String {
        switch self {
        case .file(let path): path
        case .bytes(let bytes): "model of \(bytes.count) bytes in memory"
        case .embedded(let name, _): name
        }
    }
}
