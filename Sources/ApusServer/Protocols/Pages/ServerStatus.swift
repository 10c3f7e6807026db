internal import Apus

/// The response to `GET /status`.
struct ServerStatus: Encodable {
    private var name = "apus"
    private var version: String
    private var ready: Bool
    private var models: [ModelStatus]

    init(version: String, ready: Bool, models: [ModelStatus]) {
        self.version = version
        self.ready = ready
        self.models = models
    }
}

/// A model and its device.
struct ModelStatus: Encodable {
    private var name: String
    /// "ready", "loading", "failed" or "unloaded".
    private var state: String
    private var version: Int
    private var family: String?
    private var device: String?
    private var deviceName: String?
    private var deviceReason: String?
    private var precision: String?
    private var verified: String?
    private var canvases: [String]?
    private var assumptions: [String]?
    /// Whether the device returns invalid results.
    private var fault: Bool?

    init(_ entry: (name: String, state: ModelRegistry.State, version: Int, reloadFailure: String?)) {
        name = entry.name
        version = entry.version
        switch entry.state {
        case .loading: state = "loading"
        case .failed: state = "failed"
        case .unloaded: state = "unloaded"
        case .ready(let model):
            state = "ready"
            let summary = model.summary
            family = summary.family
            device = summary.device
            deviceName = summary.deviceName
            deviceReason = summary.deviceReason
            precision = summary.precision
            verified = summary.verified.rawValue
            canvases = summary.canvases
            assumptions = summary.assumptions
            fault = model.detector.deviceFault != nil
        }
    }
}
