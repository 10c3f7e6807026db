package import Apus
package import Logging
package import NIOCore

/// How a server runs. The defaults of its settings are those of its properties.
package struct ServerConfiguration: Sendable {
    /// The first is the default.
    package var models: [ModelRegistry.Source]
    package var detector: Detector.Configuration
    package var verification = ModelLoader.Verification.auto
    /// Of Apus.
    package var version = ""
    package var host = "127.0.0.1"
    package var port = 8000
    /// Nil for no gRPC.
    package var grpcPort: Int?
    /// Bytes of a request's body.
    package var maxBody = 20_000_000
    /// Bytes of all bodies that are being received or worked on.
    package var maxBodies = 256_000_000
    /// Pixels of an image.
    package var maxPixels = 50_000_000
    package var maxConnections = 4096
    package var inference = InferenceQueue.Limits()
    /// From a request's body to its response.
    package var timeout = Duration.seconds(30)
    /// For a body to come whole.
    package var bodyTimeout = Duration.seconds(30)
    /// Of a connection on which nothing happens.
    package var idleTimeout = Duration.seconds(60)
    /// For what runs to finish after the server was told to stop.
    package var grace = Duration.seconds(30)
    /// A PEM file, with `tlsKey`.
    package var tlsCertificate: String?
    package var tlsKey: String?
    package var keys = APIKeys.none
    /// Hosts from which images are downloaded.
    package var urlHosts: [AllowedHost] = []
    /// For an image to be downloaded.
    package var urlTimeout = Duration.seconds(10)
    /// Whether an image may be downloaded from an address: public ones. Only tests, whose servers are local, change it.
    package var mayFetch: @Sendable (SocketAddress) -> Bool = { PublicAddress.isPublic($0) }
    package var hasMetrics = true
    /// Whether there is a page at /.
    package var hasPage = true
    /// Origins whose pages may ask.
    package var origins: [String] = []
    /// The max number of detections in a DeepStack response; nil for all.
    package var deepStackLimit: Int?
    /// The min confidence in a DeepStack response where the client names none.
    package var deepStackConfidence: Float = 0.4
    /// How often models' files are looked at; nil for never.
    package var reloadInterval: Duration? = .seconds(2)
    package var logFormat = ServerLog.Format.text
    package var logLevel = Logger.Level.info

    /// Loads the model of a name in another process, and throws if that fails; nil to load changed models unchecked.
    package var checkModel: (@Sendable (_ name: String) throws -> Void)?

    /// Whether only this machine can reach the server.
    var isLoopback: Bool { ["localhost", "::1"].contains(host) || host.hasPrefix("127.") }

    /// Bytes of a gRPC message, which holds more than the bytes that `maxBody` limits and `OpenInferenceGRPC` counts.
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

    /// Nil for no TLS.
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
