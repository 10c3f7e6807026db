package import Apus
internal import Foundation
package import Hummingbird
internal import HummingbirdCore
internal import HummingbirdTLS
package import Logging
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import ServiceLifecycle
internal import UnixSignals

/// The server: serves models over HTTP and, if configured, gRPC.
package struct Server: Sendable {
    let configuration: ServerConfiguration
    let logger: Logger
    package let models: ModelRegistry
    package let queue: InferenceQueue
    package let metrics: ServerMetrics
    let bodies: BodyReader
    /// When shutdown began.
    private let stopped = NIOLockedValueBox<ContinuousClock.Instant?>(nil)

    /// - Parameter load: loads a model; nil for the library's detector with this configuration.
    package init(
        _ configuration: ServerConfiguration, logger: Logger,
        load: (@Sendable (_ name: String, Model) throws -> any ObjectDetector)? = nil
    ) {
        let configuration = configuration.withinOpenFiles(logger)
        self.configuration = configuration
        self.logger = logger
        var detector = configuration.detector
        detector.batchSize = configuration.inference.maxBatch
        let loader = ModelLoader(
            configuration: detector, verification: configuration.verification,
            logger: logger)
        models = ModelRegistry(
            configuration.models, logger: logger, check: configuration.checkModel,
            load: load ?? { try loader.detector($0, $1) })
        queue = InferenceQueue(configuration.inference)
        metrics = ServerMetrics()
        bodies = BodyReader(
            limit: configuration.maxBody, total: configuration.maxBodies, timeout: configuration.bodyTimeout)
    }

    /// Runs until a signal stops it or a model cannot be loaded.
    package func run() async throws {
        // Until there is something to reload, the signal must not end the process.
        signal(SIGHUP, SIG_IGN)
        if !configuration.isLoopback, !configuration.keys.areWanted {
            logger.warning(
                "no API key set: anyone who can reach this host can use the server, and load and unload its models",
                metadata: ["host": "\(configuration.host)"])
        }
        var settings = ServiceGroupConfiguration(
            // Services shut down in reverse order.
            services: [
                .init(service: ModelWatching(models: models, interval: configuration.reloadInterval)),
                .init(service: try listeners()),
                .init(
                    service: ModelLoading(models: models, logger: logger, stopped: stopped),
                    failureTerminationBehavior: .gracefullyShutdownGroup),
            ], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger.quiet)
        settings.maximumGracefulShutdownDuration = configuration.grace
        let group = ServiceGroup(configuration: settings)
        do {
            try await group.run()
        } catch is CancellationError where stopped.withLockedValue({ $0 }) != nil {
            // Logged below.
        }
        if let stopped = stopped.withLockedValue({ $0 }), ContinuousClock.now - stopped >= configuration.grace {
            logger.warning(
                "grace period over: unfinished requests were cancelled",
                metadata: ["grace_ms": "\(Int(configuration.grace.milliseconds))"])
        }
        queue.stop()
    }

    /// The routes on a socket.
    package func application(
        onServerRunning: @escaping @Sendable (any Channel) async -> Void = { _ in }
    ) throws -> some ApplicationProtocol {
        let idle = TimeAmount(configuration.idleTimeout)
        let log = requestLog
        let plain = HTTPServerBuilder { HTTP1Connection(responder: $0, headTimeout: idle, log: log) }
        let builder: HTTPServerBuilder =
            if let files = configuration.tls {
                try .tls(plain, tlsConfiguration: files.configuration)
            } else {
                plain
            }
        let logger = logger
        return Application(
            router: router(), server: builder,
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port), serverName: "apus",
                availableConnectionsDelegate: ConnectionLimit(configuration.maxConnections, logger: logger)),
            onServerRunning: { channel in
                logger.info(
                    "listening", metadata: ["address": "\(channel.localAddress.map { "\($0)" } ?? "unknown")"])
                await onServerRunning(channel)
            }, logger: logger.quiet)
    }
}

extension Logger {
    /// For libraries, which log every connection.
    fileprivate var quiet: Logger {
        var own = self
        own.logLevel = max(logLevel, .warning)
        return own
    }
}
