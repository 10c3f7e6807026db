internal import Apus
internal import Foundation
internal import HTTPTypes
package import Hummingbird
internal import HummingbirdCore
internal import HummingbirdTLS
package import Logging
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOSSL
internal import ServiceLifecycle
internal import UnixSignals

/// An HTTP server that finds objects in pictures.
package struct Server: Sendable {
    private let configuration: ServerConfiguration
    private let logger: Logger
    package let models: ModelRegistry
    package let queue: InferenceQueue
    package let metrics: ServerMetrics
    private let bodies: BodyReader
    /// When the server was told to end.
    private let stopped = NIOLockedValueBox<ContinuousClock.Instant?>(nil)

    package init(_ configuration: ServerConfiguration, logger: Logger) {
        let configuration = configuration.withinOpenFiles(logger)
        self.configuration = configuration
        self.logger = logger
        var detector = configuration.detector
        detector.batchSize = configuration.inference.maxBatch
        models = ModelRegistry(
            configuration.models,
            loader: ModelLoader(
                configuration: detector, verification: configuration.verification,
                apusVersion: configuration.version, logger: logger), check: configuration.checkModel)
        queue = InferenceQueue(configuration.inference)
        metrics = ServerMetrics()
        bodies = BodyReader(
            limit: configuration.maxBody, total: configuration.maxBodies, timeout: configuration.bodyTimeout)
    }

    /// Runs until it is told to stop by a signal, or a model cannot be loaded.
    package func run() async throws {
        // Until there is something to load again, it is not to end the process.
        signal(SIGHUP, SIG_IGN)
        if !configuration.isLoopback, !configuration.keys.areWanted {
            logger.warning(
                "everybody who reaches this machine may ask, and load and unload models: there is no --api-key-file",
                metadata: ["host": "\(configuration.host)"])
        }
        var settings = ServiceGroupConfiguration(
            // The last is the first to hear of the end.
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
            // Said below.
        }
        if let stopped = stopped.withLockedValue({ $0 }), ContinuousClock.now - stopped >= configuration.grace {
            logger.warning(
                "the grace time is over: what had not finished was cut off",
                metadata: ["grace_ms": "\(Int(configuration.grace.milliseconds))"])
        }
        queue.stop()
    }

    /// The routes on a socket.
    package func application(
        onServerRunning: @escaping @Sendable (any Channel) async -> Void = { _ in }
    ) throws -> some ApplicationProtocol {
        let idle = TimeAmount(configuration.idleTimeout)
        let log = RequestLog(logger: logger, metrics: metrics)
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

    private func listeners() throws -> Listeners {
        do {
            _ = try SocketAddress.makeAddressResolvingHost(configuration.host, port: configuration.port)
        } catch {
            throw ApusError(
                .option, doing: "listen on \(configuration.host)", cause: "it is not the name or address of a host",
                remedy: "Set host to an address of this machine: 127.0.0.1, ::1, or 0.0.0.0 for all.")
        }
        var all = [Listeners.Listener(setting: "port", port: configuration.port, service: try application())]
        if let port = configuration.grpcPort {
            all.append(Listeners.Listener(setting: "grpc-port", port: port, service: try grpcListener(port)))
        }
        return Listeners(host: configuration.host, all: all)
    }

    private func grpcListener(_ port: Int) throws -> GRPCListener {
        try GRPCListener(
            GRPCService(
                service: OpenInferenceService(predictor: predictor), bodies: bodies, version: configuration.version,
                log: RequestLog(logger: logger, metrics: metrics)), configuration, port: port, logger: logger)
    }

    private var predictor: Predictor {
        Predictor(
            models: models, queue: queue, timeout: configuration.timeout,
            limits: Image.Limits(bytes: configuration.maxBody, pixels: configuration.maxPixels))
    }

    private func router() -> Router<ServerContext> {
        let router = Router(context: ServerContext.self)
        if !configuration.origins.isEmpty {
            router.add(middleware: CrossOriginMiddleware(origins: configuration.origins))
        }
        router.add(middleware: RecordingMiddleware(log: RequestLog(logger: logger, metrics: metrics)))
        router.add(
            middleware: OriginMiddleware(
                origins: configuration.origins,
                isLocalOnly: configuration.isLoopback && !configuration.keys.areWanted))
        let predictor = predictor
        let keys = configuration.keys
        let routes = RouteTable(router)

        let predict = PredictRoutes(
            predictor: predictor, bodies: bodies,
            fetcher: PictureFetcher(
                allowed: configuration.urlHosts, limit: configuration.maxBody, timeout: configuration.urlTimeout,
                version: configuration.version, mayFetch: configuration.mayFetch))
        routes.on(.post, "/predict", [APIKeyMiddleware(keys: keys)], predict.predict)
        OpenInferenceRoutes(
            service: OpenInferenceService(predictor: predictor), bodies: bodies, version: configuration.version
        ).add(to: routes, keys: APIKeyMiddleware(keys: keys))
        DeepStackRoutes(
            predictor: predictor, bodies: bodies, keys: keys, version: configuration.version,
            confidence: configuration.deepStackConfidence, limit: configuration.deepStackLimit
        ).add(to: routes)
        PageRoutes(models: models, version: configuration.version).add(
            to: routes, keys: APIKeyMiddleware(keys: keys), hasPage: configuration.hasPage)
        if configuration.hasMetrics {
            let (metrics, queue, models) = (metrics, queue, models)
            routes.on(.get, "/metrics", [APIKeyMiddleware(keys: keys)]) { _, _ in
                Response(
                    status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                    body: .init(byteBuffer: ByteBuffer(string: metrics.text(queue, models))))
            }
        }
        return router
    }
}

/// Loads models while the server already listens; the first that cannot be loaded ends it.
private struct ModelLoading: Service {
    let models: ModelRegistry
    let logger: Logger
    let stopped: NIOLockedValueBox<ContinuousClock.Instant?>

    func run() async throws {
        try await withGracefulShutdownHandler {
            do {
                try await cancelWhenGracefulShutdown { try await models.loadAll() }
            } catch {
                // What is being loaded when the server is to stop is not waited for.
                if stopped.withLockedValue({ $0 }) != nil { return }
                throw error
            }
            try await gracefulShutdown()
        } onGracefulShutdown: {
            stopped.withLockedValue { $0 = .now }
            logger.info("stopping: no more requests are taken, those that run finish")
        }
    }
}

/// Looks after models that are in service: changed files, a signal to load again, faulty devices.
private struct ModelWatching: Service {
    let models: ModelRegistry
    let interval: Duration?

    func run() async throws {
        // It only watches, so its end is none that anybody waits for.
        try? await cancelWhenGracefulShutdown {
            try await withThrowingTaskGroup(of: Void.self) { group in
                if let interval {
                    group.addTask {
                        while true {
                            try await Task.sleep(for: interval)
                            await models.reloadChanged()
                        }
                    }
                }
                group.addTask {
                    while true {
                        try await Task.sleep(for: .seconds(30))
                        await models.checkFaultyDevices()
                    }
                }
                group.addTask {
                    for await _ in await UnixSignalsSequence(trapping: .sighup) { await models.reloadAll() }
                }
                try await group.waitForAll()
            }
        }
    }
}

extension ServerConfiguration.TLSFiles {
    /// For the server's side: TLS 1.2 and later.
    fileprivate var configuration: TLSConfiguration {
        get throws(ApusError) {
            let chain = try load(certificate, "a PEM certificate chain") {
                let chain = try NIOSSLCertificate.fromPEMFile($0)
                return chain.isEmpty ? nil : chain
            }
            let key = try load(self.key, "a PEM private key that is not encrypted") {
                try NIOSSLPrivateKey(file: $0, format: .pem)
            }
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
            configuration.minimumTLSVersion = .tlsv12
            guard (try? NIOSSLContext(configuration: configuration)) != nil else {
                throw failure("\(self.key) is not the key of the certificate in \(certificate)")
            }
            return configuration
        }
    }

    /// - Parameter read: nil, or an error, if the file does not hold what it should.
    private func load<Value>(
        _ file: String, _ content: String, _ read: (String) throws -> Value?
    ) throws(ApusError) -> Value {
        guard FileManager.default.isReadableFile(atPath: file) else {
            throw failure("\(file) can't be read, or isn't there")
        }
        guard let value = try? read(file) else { throw failure("\(file) is not \(content)") }
        return value
    }

    private func failure(_ cause: String) -> ApusError {
        ApusError(
            .option, doing: "use TLS", cause: cause,
            remedy: "Set tls-cert to a certificate chain and tls-key to its private key, both PEM files.")
    }
}

extension Logger {
    /// For libraries: what they say of each connection is not news.
    fileprivate var quiet: Logger {
        var own = self
        own.logLevel = max(logLevel, .warning)
        return own
    }
}
