/// What a user can set, under the name that it has in every front end.
package struct Setting: Hashable, Sendable {
    /// The long option of the command, without hyphens, which is the key of configuration files too.
    package let key: String
    /// What Swift code sets.
    package let api: String

    /// The server's setting, where it has another name there.
    package let serverKey: String

    private init(_ key: String, _ api: String, server: String? = nil) {
        self.key = key
        self.api = api
        serverKey = server ?? key
    }

    package static let device = Setting("device", "Configuration.device")
    package static let precision = Setting("precision", "Configuration.precision")
    package static let provider = Setting("provider", "Configuration.provider")
    package static let family = Setting("family", "Configuration.family")
    package static let labels = Setting("labels", "Configuration.labels")
    package static let mirror = Setting("url", "CheckpointPull.address")
    package static let model = Setting("model", "Model")
    package static let shapes = Setting("shapes", "Configuration.shapes")
    package static let batch = Setting("batch", "Configuration.batchSize")
    package static let runtime = Setting("runtime", "Configuration.runtime")
    package static let cacheFolder = Setting("cache-dir", "Configuration.cache")
    package static let requireVerified = Setting("require-verified", "Configuration.requiresVerified")
    package static let maxPixels = Setting("max-pixels", "Image.Limits.pixels")
    package static let maxBytes = Setting("max-bytes", "Image.Limits.bytes", server: "max-body")
    package static let maxBody = Setting("max-body", "ServerConfiguration.maxBody")
    package static let timeout = Setting("timeout", "ServerConfiguration.timeout")
    package static let bodyTimeout = Setting("body-timeout", "ServerConfiguration.bodyTimeout")
    package static let urlHost = Setting("url-host", "ServerConfiguration.urlHosts")
    package static let corsOrigin = Setting("cors-origin", "ServerConfiguration.origins")
    package static let output = Setting("output", "the annotated image")
    package static let reference = Setting("reference", "VerificationReference")
    package static let noCheck = Setting("no-check", "CheckPolicy.none")
    package static let padding = Setting("padding", "DETRExportOptions.hasPadding")
    package static let height = Setting("height", "DETRExportOptions.height")
    package static let width = Setting("width", "DETRExportOptions.width")
    package static let heads = Setting("heads", "DETROptions.heads")
    package static let dc5 = Setting("dc5", "DETROptions.isDilated")
    package static let noDC5 = Setting("no-dc5", "DETROptions.isDilated = false")
    package static let blockOperator = Setting("block-op", "PrecisionOptions.blockedOperators")
    package static let blockNode = Setting("block-node", "PrecisionOptions.blockedNodes")
}
