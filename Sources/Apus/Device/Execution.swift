/// How a model is executed. Provider, nodes and device are as the runtime and its provider report them, not as requested.
public struct Execution: Sendable {
    /// ONNX Runtime's name of the provider, such as "OpenVINOExecutionProvider".
    public var provider: String
    /// The device that the provider reports, such as "CPU" or "GPU.0".
    public var device: String
    /// OpenVINO's full name of the device; nil on ONNX Runtime's own CPU provider.
    public var deviceName: String?
    /// The precision that OpenVINO was set to; nil on ONNX Runtime's own CPU provider, which computes in the model's types.
    public var precision: Precision?
    /// How many of the model's nodes each provider took; nil if the runtime is older than 1.24 and can't report it.
    public var nodes: [String: Int]?
    /// Why this device and precision.
    public var reason: String
    /// The canvases that images are padded to, smallest first; empty if each image has a size of its own.
    public var canvases: [PixelSize]
    /// Why these shapes.
    public var shapeReason: String
    /// Where compiled models are kept.
    public var cache: Cache
    /// Whether the device's results with this model were verified.
    public var verification: VerificationStatus
    /// ONNX Runtime's version.
    public var runtimeVersion: String
    /// The folder that ONNX Runtime was loaded from.
    public var runtimeFolder: String
    /// Where the startup time went.
    public var loading: LoadTimings

    /// Where compiled models are kept.
    public enum Cache: Sendable, Hashable {
        /// In this folder.
        case folder(String)
        /// Nowhere, and why.
        case none(String)
    }
}

/// Where the startup time went.
public struct LoadTimings: Sendable, Hashable {
    /// Loading ONNX Runtime; close to zero if the process has loaded it already.
    public var runtime: Duration
    /// Querying OpenVINO's devices and choosing one.
    public var device: Duration
    /// Reading and compiling the model.
    public var model: Duration
}

/// A shape that a detector's model was compiled for.
public struct CompiledShape: Sendable {
    /// Where it came from.
    public enum Origin: String, Sendable {
        /// It was compiled earlier and read from the cache.
        case cache
        /// It was compiled by this detector.
        case compiled
        /// It could not be compiled, as `note` explains; a larger canvas takes its images.
        case failed
    }

    /// Nil for the model's own size, or any size.
    public var canvas: PixelSize?
    /// Where it came from.
    public var origin: Origin
    /// A problem with the cache, or the cause of a failure, if any.
    public var note: String?
    /// How long reading or compiling took.
    public var duration: Duration
}
