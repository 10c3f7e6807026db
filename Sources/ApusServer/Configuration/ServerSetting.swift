internal import Apus
package import Logging
internal import Remedies
package import Settings

/// The settings of a server.
package enum ServerSetting {
    package typealias Declaration<Value: Sendable> = SettingDeclaration<ServerConfiguration, Value>

    /// In the order in which they are printed.
    package static let all: [any DeclaredSetting<ServerConfiguration>] =
        [model] + DetectorSetting.all.map { $0.nested(in: \.detector) } + [
            verify, host, port, grpcPort, maxBody, maxBodies, maxPixels, maxConnections, queue, concurrency, maxBatch,
            batchDelay, timeout, bodyTimeout, idleTimeout, grace, tlsCertificate, tlsKey, apiKeyFile, metrics, page,
            corsOrigin, urlHost, urlTimeout, deepStackLimit, deepStackConfidence, reloadInterval, logFormat, logLevel,
        ]

    /// The setting with this key.
    static func named(_ key: String) -> (any DeclaredSetting<ServerConfiguration>)? { all.first { $0.key == key } }

    // MARK: Models

    package static let model = Declaration(
        .model, .models,
        help: "A file, name=file, or a pulled model's name; may be repeated. The first is the default.",
        get: { $0.models.map { ModelArgument($0) } },
        set: { configuration, models throws(ApusError) in
            configuration.models = try models.map { model throws(ApusError) in try model.source() }
        })

    package static let verify = Declaration(
        Setting(server: "verify"), .choice,
        help: """
            \(ModelLoader.Verification.auto.rawValue) verifies a GPU's or NPU's results before the first response, once \
            per model; \(ModelLoader.Verification.always.rawValue) includes the CPU.
            """,
        destination: \.verification)

    package static let reloadInterval = Declaration(
        Setting(server: "reload-interval"), .secondsOrOff, help: "How often model files are checked for changes.",
        destination: \.reloadInterval)

    // MARK: Listening

    package static let host = Declaration(
        Setting(server: "host"), .address, help: "The address to listen on; 0.0.0.0 for all.", destination: \.host)

    package static let port = Declaration(
        Setting(server: "port"), .port, help: "The HTTP port; 0 picks a free one.", destination: \.port)

    package static let grpcPort = Declaration(
        Setting(server: "grpc-port"), .port, help: "Also serve gRPC (Open Inference Protocol) on this port.",
        destination: \.grpcPort)

    package static let tlsCertificate = Declaration(
        .tlsCertificate, .file, help: "The PEM certificate chain; requires \(setting: .tlsKey).",
        destination: \.tlsCertificate)

    package static let tlsKey = Declaration(
        .tlsKey, .file, help: "The PEM private key; requires \(setting: .tlsCertificate).", destination: \.tlsKey)

    package static let apiKeyFile = Declaration<String>(
        Setting(server: "api-key-file"), .file, help: "Require an API key from this file, one per line.",
        get: { _ in nil },
        set: { configuration, file throws(ApusError) in configuration.keys = try APIKeys(file: file) })

    package static let corsOrigin = Declaration(
        .corsOrigin, .origins, help: "Allow pages of this origin; may be repeated.", destination: \.origins)

    // MARK: Limits

    package static let maxBody = Declaration(
        .maxBody, .bytes(), help: "Maximum size of a request body.", destination: \.maxBody)

    package static let maxBodies = Declaration(
        Setting(server: "max-bodies"), .bytes(), help: "Total size of in-flight request bodies.",
        destination: \.maxBodies)

    package static let maxPixels = LimitSetting.maxPixels(\ServerConfiguration.maxPixels)

    package static let maxConnections = Declaration(
        Setting(server: "max-connections"), .count(1...1_000_000), help: "Maximum number of connections.",
        destination: \.maxConnections)

    package static let timeout = Declaration(
        .timeout, .seconds, help: "Time allowed for a response.", destination: \.timeout)

    package static let bodyTimeout = Declaration(
        .bodyTimeout, .seconds, help: "Time allowed to receive a body.", destination: \.bodyTimeout)

    package static let idleTimeout = Declaration(
        Setting(server: "idle-timeout"), .seconds, help: "Time after which a connection without requests is closed.",
        destination: \.idleTimeout)

    package static let grace = Declaration(
        Setting(server: "grace"), .seconds, help: "Shutdown grace period for in-flight requests.",
        destination: \.grace)

    // MARK: Inference

    package static let queue = Declaration(
        Setting(server: "queue"), .count(0...100_000),
        help: "Maximum number of waiting requests; others are refused at once.", destination: \.inference.queue)

    package static let concurrency = Declaration(
        Setting(server: "concurrency"), .count(1...64),
        help: "Inference threads. On a GPU, 2 decodes one image while another runs.",
        destination: \.inference.concurrency)

    package static let maxBatch = Declaration(
        Setting(server: "max-batch"), .count(1...64), help: "Maximum number of images per run.",
        destination: \.inference.maxBatch)

    package static let batchDelay = Declaration(
        Setting(server: "batch-delay-ms"), .milliseconds(0...10_000),
        help: "Time a run waits for more images, in milliseconds.", destination: \.inference.batchDelay)

    // MARK: Routes

    package static let metrics = Declaration(
        Setting(server: "metrics"), .flag, help: "Serve /metrics.", destination: \.hasMetrics)

    package static let page = Declaration(
        Setting(server: "page"), .flag, help: "Serve a page at /.", destination: \.hasPage)

    package static let urlHost = Declaration(
        .urlHost, .hosts,
        help: """
            Download images for {"url": …} from this host: example.com, *.example.com or *; may be repeated. Never from \
            private addresses.
            """, destination: \.urlHosts)

    package static let urlTimeout = Declaration(
        Setting(server: "url-timeout"), .seconds, help: "Time allowed to download an image.",
        destination: \.urlTimeout)

    package static let deepStackLimit = Declaration(
        Setting(server: "deepstack-limit"), .count(1...1000),
        help: "Maximum number of objects in a DeepStack response (Frigate reads 20).", destination: \.deepStackLimit)

    package static let deepStackConfidence = Declaration(
        Setting(server: "deepstack-confidence"), .fraction,
        help: "Minimum confidence of a DeepStack response, if the client sends none.",
        destination: \.deepStackConfidence)

    // MARK: Log

    package static let logFormat = Declaration(
        Setting(server: "log-format"), .choice, help: "The format of the log.", destination: \.logFormat)

    package static let logLevel = Declaration(
        Setting(server: "log-level"), .choice, help: "Minimum level of logged messages.", destination: \.logLevel)
}

/// Settings that errors and other settings refer to.
extension Setting {
    static let maxBody = Setting(server: "max-body")
    static let timeout = Setting(server: "timeout")
    static let bodyTimeout = Setting(server: "body-timeout")
    static let urlHost = Setting(server: "url-host")
    static let corsOrigin = Setting(server: "cors-origin")
    static let tlsCertificate = Setting(server: "tls-cert")
    static let tlsKey = Setting(server: "tls-key")
}
