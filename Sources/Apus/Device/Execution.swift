/// What ran a model. Provider, nodes and device are as the runtime and its provider tell, not as was asked.
public struct Execution: Sendable {
    /// ONNX Runtime's name of the provider, as "OpenVINOExecutionProvider".
    public var provider: String
    /// The device that the provider says it chose, as "CPU" or "GPU.0".
    public var device: String
    /// OpenVINO's full name of the device; nil on ONNX Runtime's own CPU provider.
    public var deviceName: String?
    /// What OpenVINO was told to compute in; nil on ONNX Runtime's own CPU provider, which computes in the model's types.
    public var precision: Precision?
    /// How many of the model's nodes each provider took; nil where the runtime is older than 1.24 and cannot tell.
    public var nodes: [String: Int]?
    /// Why this device and precision.
    public var reason: String
    /// The canvases that pictures are padded to, the smallest first; empty if each has a size of its own.
    public var canvases: [PixelSize]
    /// Why these.
    public var shapeReason: String
    /// Where what the device compiled is kept.
    public var cache: Cache
    /// Whether the device's answers with this model were found right.
    public var verification: VerificationStatus
    /// ONNX Runtime's version.
    public var runtimeVersion: String
    /// The folder that it was loaded from.
    public var runtimeFolder: String
    /// Where the time before the first picture went.
    public var loading: LoadTimings

    /// Where what a device compiled is kept.
    public enum Cache: Sendable, Hashable {
        /// In this folder.
        case folder(String)
        /// Nowhere, and why.
        case none(String)
    }
}

/// Where the time before the first picture went.
public struct LoadTimings: Sendable, Hashable {
    /// Loading ONNX Runtime; next to nothing if the process has it already.
    public var runtime: Duration
    /// Asking OpenVINO for its devices and choosing one.
    public var device: Duration
    /// Reading and compiling the model.
    public var model: Duration
}

/// A shape that a detector's model was compiled for.
public struct CompiledShape: Sendable {
    /// Where it came from.
    public enum Origin: String, Sendable {
        /// It was compiled before, and read from the cache.
        case cache
        /// It was compiled by this detector.
        case compiled
        /// It could not be, which `note` explains; a larger canvas takes its pictures.
        case failed
    }

    /// Nil for the size that the model itself has, or any.
    public var canvas: PixelSize?
    /// Where it came from.
    public var origin: Origin
    /// What went on with the cache or failed, if there is anything to say.
    public var note: String?
    /// Reading or compiling it.
    public var duration: Duration
}
