internal import HTTPTypes
internal import Hummingbird

/// Lets pages of the configured origins send requests (CORS).
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
