internal import HTTPTypes
internal import Hummingbird

/// Rejects clients that don't present a valid key, as `Authorization: Bearer KEY` or `X-API-Key: KEY`.
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
    /// The key that a client presents.
    var presentedKey: String? {
        APIKeys.presented(authorization: headers[.authorization], apiKey: headers[.apiKey])
    }
}
