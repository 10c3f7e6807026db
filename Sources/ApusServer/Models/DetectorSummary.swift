package import Apus

/// What the server reports of a loaded model. It stays the same while the model is in service.
package struct DetectorSummary: Sendable, Equatable {
    /// The model's family, as "detr".
    package var family: String
    /// As "CPU" or "GPU.0".
    package var device: String
    /// The device's full name; nil where the provider gives none.
    package var deviceName: String?
    /// Why this device.
    package var deviceReason: String
    /// As "f32"; nil where the runtime computes in the model's own types.
    package var precision: String?
    /// The sizes of input that images are padded to, as "1344x800"; empty if each image keeps a size of its own.
    package var canvases: [String]
    /// Why these.
    package var canvasReason: String
    /// Whether the device's results were compared with a reference.
    package var verified: VerificationStatus.State
    /// What the model's file doesn't say and was taken for granted, one sentence each.
    package var assumptions: [String]
    /// Detections with a higher score are returned where a request names no threshold, 0 to 1.
    package var threshold: Float
    /// How long loading and compiling took.
    package var loading: Duration

    package init(
        family: String, device: String, deviceName: String? = nil, deviceReason: String, precision: String?,
        canvases: [String] = [], canvasReason: String = "", verified: VerificationStatus.State = .never,
        assumptions: [String] = [], threshold: Float, loading: Duration = .zero
    ) {
        self.family = family
        self.device = device
        self.deviceName = deviceName
        self.deviceReason = deviceReason
        self.precision = precision
        self.canvases = canvases
        self.canvasReason = canvasReason
        self.verified = verified
        self.assumptions = assumptions
        self.threshold = threshold
        self.loading = loading
    }
}
