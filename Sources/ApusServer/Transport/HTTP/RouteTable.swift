internal import HTTPTypes
internal import Hummingbird
internal import NIOConcurrencyHelpers
internal import Remedies

/// Routes with the methods of each path, so that others get 405 with Allow.
struct RouteTable {
    typealias Handler = @Sendable (Request, ServerContext) async throws -> Response
    typealias Middleware = any MiddlewareProtocol<Request, Response, ServerContext>

    private let router: Router<ServerContext>
    private let paths: KnownPaths

    init(_ router: Router<ServerContext>) {
        self.router = router
        paths = KnownPaths()
        router.add(middleware: MethodMiddleware(paths: paths))
    }

    func on(
        _ method: HTTPRequest.Method, _ path: String, _ middleware: [Middleware] = [], _ handler: @escaping Handler
    ) {
        let group = router.group()
        for each in middleware { group.add(middleware: each) }
        // GET implies HEAD.
        for method in method == .get ? [.get, .head] : [method] {
            group.on(RouterPath(path), method: method) { try await handler($0, $1) }
            paths.add(path, method)
        }
    }
}

/// The known paths, with `{parameters}`.
private final class KnownPaths: Sendable {
    struct Entry: Sendable {
        var parts: [Substring]
        var methods: Set<String>
    }

    private let entries = NIOLockedValueBox<[String: Entry]>([:])

    func add(_ path: String, _ method: HTTPRequest.Method) {
        entries.withLockedValue {
            var entry = $0[path] ?? Entry(parts: path.split(separator: "/"), methods: [])
            entry.methods.insert(method.rawValue)
            $0[path] = entry
        }
    }

    func find(_ path: String) -> Entry? {
        let parts = path.split(separator: "/")
        return entries.withLockedValue { entries in
            entries.values.first { entry in
                entry.parts.count == parts.count
                    && zip(entry.parts, parts).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
            }
        }
    }
}

/// Responds with 405 if a path exists for other methods.
private struct MethodMiddleware: RouterMiddleware {
    let paths: KnownPaths

    func handle(
        _ request: Request, context: ServerContext,
        next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound {
            guard let entry = paths.find(request.uri.path), !entry.methods.contains(request.method.rawValue) else {
                throw error
            }
            let allowed = entry.methods.sorted().joined(separator: ", ")
            var refusal = ServerError(
                .method, "\(request.method) is not allowed for this path", remedy: "Allowed: \(allowed).")
            refusal.allow = allowed
            throw refusal
        }
    }
}
