package import Apus

/// What the server reports about a loaded model. Constant while the model is in service.
package struct DetectorSummary: Sendable, Equatable {
    /// The model's family, such as "detr".
    package var family: String
    /// Such as "CPU" or "GPU.0".
    package var device: String
    /// The device's full name; nil if the provider reports none.
    package var deviceName: String?
    /// Why this device was chosen.
    package var deviceReason: String
    /// Such as "f32"; nil if the runtime computes in the model's own types.
    package var precision: String?
    /// The input sizes that images are padded to, such as "1344x800"; empty if each image keeps its own size.
    package var canvases: [String]
    /// Why these were chosen.
    package var canvasReason: String
    /// Whether the device's results were verified against a reference.
    package var verified: VerificationStatus.State
    /// Assumptions about what the model's file doesn't state, one sentence each.
    package var assumptions: [String]
    /// The default threshold, 0 to 1; detections with a higher score are returned.
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
