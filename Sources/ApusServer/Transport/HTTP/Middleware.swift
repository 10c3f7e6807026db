internal import Foundation
internal import HTTPTypes
internal import Hummingbird

extension HTTPField.Name {
    static func named(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is a header's name") }
        return name
    }

    static let requestID = named("X-Request-Id")
    static let traceParent = named("traceparent")
    static let apiKey = named("X-API-Key")
}

/// The outermost: gives the request an id, logs a line when it is answered, counts it, and lets no error through.
struct RecordingMiddleware: RouterMiddleware {
    let log: RequestLog

    func handle(
        _ request: Request, context: ServerContext,
        next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        let id = RecordingMiddleware.id(request.headers[.requestID])
        let trace = request.headers[.traceParent].flatMap { TraceContext($0) }?.child()
        context.record.update {
            $0.requestID = id
            $0.trace = trace
        }
        log.began()
        var response: Response
        do {
            response = try await next(request, context)
        } catch {
            let error = RecordingMiddleware.serverError(error, request)
            context.record.update { $0.error = error }
            response = ErrorForm(path: request.uri.path).response(error, requestID: id)
        }
        response.headers[.requestID] = id
        response.headers[.traceParent] = trace?.header
        response.headers[.xContentTypeOptions] = "nosniff"
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        if request.method == .head {
            // As long as GET's would be.
            response.body = ResponseBody(contentLength: response.body.contentLength) { try await $0.finish(nil) }
        }
        let path = request.uri.path
        log.ended(
            "\(request.method) \(Quoted(path))", route: context.endpointPath ?? "none",
            method: "\(request.method)", status: response.status.code, duration: ContinuousClock.now - start,
            isProbe: ["/v2/health/live", "/v2/health/ready", "/metrics"].contains(path), context.record.current)
        return response
    }

    /// A client's own id, if it is one that may stand in a log.
    static func id(_ given: String?) -> String {
        if let given, (1...128).contains(given.utf8.count),
            given.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != 0x22 && $0 != 0x5c })
        {
            return given
        }
        return UUID().uuidString.lowercased()
    }

    private static func serverError(_ error: any Error, _ request: Request) -> ServerError {
        guard let error = error as? HTTPError else { return ServerError(error) }
        if error.status == .notFound {
            return ServerError(
                "not-found", .notFound, title: "There is nothing here",
                detail: "There is no \(Quoted(request.uri.path))", remedy: "What there is: /docs")
        }
        return ServerError(
            "http", error.status, title: error.status.reasonPhrase, detail: error.body ?? error.status.reasonPhrase)
    }
}

/// Lets only clients through that show a key, as `Authorization: Bearer KEY` or `X-API-Key: KEY`.
struct APIKeyMiddleware: RouterMiddleware {
    let keys: APIKeys

    func handle(
        _ request: Request, context: ServerContext,
        next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        if keys.areWanted {
            guard let key = request.presentedKey, keys.contains(key) else { throw ServerError.unauthorized }
        }
        return try await next(request, context)
    }
}

extension Request {
    /// The key that a client shows.
    var presentedKey: String? {
        let bearer = headers[.authorization].flatMap { value in
            value.lowercased().hasPrefix("bearer ") ? String(value.dropFirst(7)) : nil
        }
        return bearer ?? headers[.apiKey]
    }
}

extension ServerError {
    static let unauthorized = ServerError(
        "unauthorized", .unauthorized, title: "A key is needed", detail: "The request shows no key that is known",
        remedy: "Send it as Authorization: Bearer KEY, or as X-API-Key: KEY.")
}

/// Lets pages of other origins ask, where that was wanted.
struct CrossOriginMiddleware: RouterMiddleware {
    /// "https://example.com", or "*".
    let origins: [String]

    func handle(
        _ request: Request, context: ServerContext,
        next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        var response: Response
        guard let origin = request.headers[.origin], origins.contains(origin) || origins.contains("*") else {
            response = try await next(request, context)
            response.headers[.vary] = "Origin"
            return response
        }
        if request.method == .options, request.headers[.accessControlRequestMethod] != nil {
            response = Response(
                status: .noContent,
                headers: [
                    .accessControlAllowMethods: "GET, POST",
                    .accessControlAllowHeaders: "Authorization, Content-Type, X-API-Key, X-Request-Id, traceparent",
                    .accessControlMaxAge: "600",
                ])
        } else {
            response = try await next(request, context)
        }
        response.headers[.accessControlAllowOrigin] = origins.contains("*") ? "*" : origin
        response.headers[.accessControlExposeHeaders] = "X-Request-Id, Retry-After, traceparent"
        response.headers[.vary] = "Origin"
        return response
    }
}
