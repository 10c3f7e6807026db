internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Remedies

/// The outermost middleware: assigns a request ID, logs and counts the request when it ends, and turns errors into responses.
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
            // The same length as for GET.
            response.body = ResponseBody(contentLength: response.body.contentLength) { try await $0.finish(nil) }
        }
        let path = request.uri.path
        log.ended(
            "\(request.method) \(Quoted(path))", route: context.endpointPath ?? "none",
            method: "\(request.method)", status: response.status.code, duration: ContinuousClock.now - start,
            isProbe: ["/v2/health/live", "/v2/health/ready", "/metrics"].contains(path), context.record.current)
        return response
    }

    /// The client's own ID, if it is safe to log.
    static func id(_ given: String?) -> String {
        if let given, (1...128).contains(given.utf8.count),
            given.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != 0x22 && $0 != 0x5c })
        {
            return given
        }
        return UUID().uuidString.lowercased()
    }

    private static func serverError(_ error: any Error, _ request: Request) -> ServerError {
        guard let error = error as? HTTPError, error.status == .notFound else { return ServerError(error) }
        return ServerError(
            .notFound, "There is no \(Quoted(request.uri.path))", remedy: "All paths are listed at /docs.")
    }
}
