/// A user setting, with its name in every front end.
package struct Setting: Hashable, Sendable {
    /// The command's long option, without hyphens, which is the key of configuration files too.
    package let key: String
    /// The name in Swift code.
    package let api: String

    /// The server's name of the setting, if different.
    package let serverKey: String

    private init(_ key: String, _ api: String, server: String? = nil) {
        self.key = key
        self.api = api
        serverKey = server ?? key
    }

    /// A setting of the server only.
    package init(server key: String) { self.init(key, key) }

    /// Such as "APUS_MAX_BODY".
    package var variable: String { "APUS_" + serverKey.uppercased().replacing("-", with: "_") }

    package func name(for frontEnd: Remedy.FrontEnd) -> String {
        switch frontEnd {
        case .command: "--\(key)"
        case .server: serverKey
        case .library: api
        }
    }

    package static let device = Setting("device", "Configuration.device")
    package static let precision = Setting("precision", "Configuration.precision")
    package static let provider = Setting("provider", "Configuration.provider")
    package static let family = Setting("family", "Configuration.family")
    package static let labels = Setting("labels", "Configuration.labels")
    package static let mirror = Setting("url", "CheckpointPull.address")
    package static let model = Setting("model", "Model")
    package static let threshold = Setting("threshold", "Configuration.threshold")
    package static let shapes = Setting("shapes", "Configuration.shapes")
    package static let preparation = Setting("preparation", "Configuration.preparation")
    package static let batch = Setting("batch", "Configuration.batchSize")
    package static let runtime = Setting("runtime", "Configuration.runtime")
    package static let cacheFolder = Setting("cache-dir", "Configuration.cache")
    package static let noCache = Setting("no-cache", "Configuration.cache = .off")
    package static let requireVerified = Setting("require-verified", "Configuration.requiresVerified")
    package static let maxPixels = Setting("max-pixels", "Image.Limits.pixels")
    package static let maxBytes = Setting("max-bytes", "Image.Limits.bytes", server: "max-body")
    package static let output = Setting("output", "the annotated image")
    package static let reference = Setting("reference", "VerificationReference")
    package static let noCheck = Setting("no-check", "CheckPolicy.none")
    package static let padding = Setting("padding", "ModelExportOptions.hasPadding")
    package static let height = Setting("height", "ModelExportOptions.height")
    package static let width = Setting("width", "ModelExportOptions.width")
    package static let heads = Setting("heads", "ModelExportOptions.heads")
    package static let dc5 = Setting("dc5", "ModelExportOptions.isDilated")
    package static let noDC5 = Setting("no-dc5", "ModelExportOptions.isDilated = false")
    package static let blockOperator = Setting("block-op", "PrecisionOptions.blockedOperators")
    package static let blockNode = Setting("block-node", "PrecisionOptions.blockedNodes")
}
