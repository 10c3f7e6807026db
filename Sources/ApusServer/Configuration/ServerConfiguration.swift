package import Apus
package import Logging
package import NIOCore

/// The server's configuration. Property defaults are the defaults of the settings.
package struct ServerConfiguration: Sendable {
    /// The first is the default.
    package var models: [ModelRegistry.Source]
    package var detector: Detector.Configuration
    package var verification = ModelLoader.Verification.auto
    /// The version of Apus.
    package var version = ""
    package var host = "127.0.0.1"
    package var port = 8000
    /// Nil disables gRPC.
    package var grpcPort: Int?
    /// Maximum bytes of a request body.
    package var maxBody = 20_000_000
    /// Maximum bytes of all in-flight request bodies.
    package var maxBodies = 256_000_000
    /// Maximum pixels of an image.
    package var maxPixels = 50_000_000
    package var maxConnections = 4096
    package var inference = InferenceQueue.Limits()
    /// Time allowed from a request's body to its response.
    package var timeout = Duration.seconds(30)
    /// Time allowed to receive a body.
    package var bodyTimeout = Duration.seconds(30)
    /// Time after which an idle connection is closed.
    package var idleTimeout = Duration.seconds(60)
    /// Shutdown grace period for in-flight requests.
    package var grace = Duration.seconds(30)
    /// A PEM file; requires `tlsKey`.
    package var tlsCertificate: String?
    package var tlsKey: String?
    package var keys = APIKeys.none
    /// Hosts from which images are downloaded.
    package var urlHosts: [AllowedHost] = []
    /// Time allowed to download an image.
    package var urlTimeout = Duration.seconds(10)
    /// Whether images may be downloaded from an address; by default, a public one. Only tests, with local servers, change it.
    package var mayFetch: @Sendable (SocketAddress) -> Bool = { PublicAddress.isPublic($0) }
    package var hasMetrics = true
    /// Whether to serve a page at /.
    package var hasPage = true
    /// Origins whose pages may send requests.
    package var origins: [String] = []
    /// The max number of detections in a DeepStack response; nil for all.
    package var deepStackLimit: Int?
    /// The min confidence of a DeepStack response if the client sends none.
    package var deepStackConfidence: Float = 0.4
    /// How often model files are checked for changes; nil for never.
    package var reloadInterval: Duration? = .seconds(2)
    package var logFormat = ServerLog.Format.text
    package var logLevel = Logger.Level.info

    /// Loads the named model in another process and throws if that fails; nil to load changed models unchecked.
    package var checkModel: (@Sendable (_ name: String) throws -> Void)?

    /// Whether only this machine can reach the server.
    var isLoopback: Bool { ["localhost", "::1"].contains(host) || host.hasPrefix("127.") }

    /// Maximum bytes of a gRPC message, which exceeds the payload bytes that `maxBody` limits and `OpenInferenceGRPC` counts.
    var maxGRPCMessage: Int { maxBody + maxBody / 2 }

    /// PEM files.
    package struct TLSFiles: Sendable, Equatable {
        package var certificate: String
        package var key: String

        package init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }

    /// Nil disables TLS.
    package var tls: TLSFiles? {
        get {
            guard let tlsCertificate, let tlsKey else { return nil }
            return TLSFiles(certificate: tlsCertificate, key: tlsKey)
        }
        set { (tlsCertificate, tlsKey) = (newValue?.certificate, newValue?.key) }
    }

    package init(
        models: [ModelRegistry.Source] = [ModelRegistry.Source(name: "demo", model: .demo)],
        detector: Detector.Configuration = Detector.Configuration()
    ) {
        self.models = models
        self.detector = detector
    }
}
