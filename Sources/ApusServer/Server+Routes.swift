internal import Apus
internal import GRPCCore
internal import Hummingbird
internal import NIOCore

/// The server's HTTP routes and gRPC services.
extension Server {
    var requestLog: RequestLog { RequestLog(logger: logger, metrics: metrics) }

    private var predictor: Predictor {
        Predictor(
            models: models, queue: queue, timeout: configuration.timeout,
            limits: Image.Limits(bytes: configuration.maxBody, pixels: configuration.maxPixels))
    }

    func router() -> Router<ServerContext> {
        let router = Router(context: ServerContext.self)
        if !configuration.origins.isEmpty {
            router.add(middleware: CrossOriginMiddleware(origins: configuration.origins))
        }
        router.add(middleware: RecordingMiddleware(log: requestLog))
        router.add(
            middleware: OriginMiddleware(
                origins: configuration.origins, isLocalOnly: configuration.isLoopback && !configuration.keys.areWanted))
        let predictor = predictor
        let keys = APIKeyMiddleware(keys: configuration.keys)
        let routes = RouteTable(router)
        PredictRoutes(predictor: predictor, bodies: bodies, fetcher: fetcher).add(to: routes, keys: keys)
        OpenInferenceRoutes(
            service: OpenInferenceService(predictor: predictor), bodies: bodies, version: configuration.version
        ).add(to: routes, keys: keys)
        DeepStackRoutes(
            predictor: predictor, bodies: bodies, keys: configuration.keys, version: configuration.version,
            confidence: configuration.deepStackConfidence, limit: configuration.deepStackLimit
        ).add(to: routes)
        PageRoutes(models: models, version: configuration.version).add(
            to: routes, keys: keys, hasPage: configuration.hasPage)
        if configuration.hasMetrics {
            let (metrics, queue, models) = (metrics, queue, models)
            routes.on(.get, "/metrics", [keys]) { _, _ in
                Response(
                    status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                    body: .init(byteBuffer: ByteBuffer(string: metrics.text(queue, models))))
            }
        }
        return router
    }

    private var fetcher: ImageFetcher {
        ImageFetcher(
            allowed: configuration.urlHosts, limit: configuration.maxBody, timeout: configuration.urlTimeout,
            version: configuration.version, mayFetch: configuration.mayFetch)
    }

    // MARK: gRPC

    var grpcService: BoundedOpenInferenceGRPC {
        BoundedOpenInferenceGRPC(
            service: OpenInferenceGRPC(
                service: OpenInferenceService(predictor: predictor), bodies: bodies, version: configuration.version,
                log: requestLog), limit: configuration.maxGRPCMessage)
    }

    var grpcInterceptors: [any ServerInterceptor] {
        [GRPCCallInterceptor(keys: configuration.keys, log: requestLog)]
    }
}
