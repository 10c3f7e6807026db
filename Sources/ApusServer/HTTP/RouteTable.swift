#if Server
    internal import HTTPTypes
    internal import Hummingbird

    /// Routes with the methods that each path has, so that others are refused as HTTP has it (405 with Allow).
    struct RouteTable {
        typealias Handler = @Sendable (Request, ServerContext) async throws -> Response

        private let router: Router<ServerContext>
        private var methods: [String: [HTTPRequest.Method]] = [:]
        /// The middleware of a path's first route, so that a refusal has its protocol's form.
        private var forms: [String: [any MiddlewareProtocol<Request, Response, ServerContext>]] = [:]

        private static let known: [HTTPRequest.Method] = [
            .get, .head, .post, .put, .delete, .patch, .options, .trace, .connect,
        ]

        init(_ router: Router<ServerContext>) { self.router = router }

        mutating func on(
            _ method: HTTPRequest.Method, _ path: String,
            _ middleware: [any MiddlewareProtocol<Request, Response, ServerContext>] = [], _ handler: @escaping Handler
        ) {
            let group = router.group()
            for each in middleware { group.add(middleware: each) }
            group.on(RouterPath(path), method: method) { try await handler($0, $1) }
            methods[path, default: []].append(method)
            forms[path] = forms[path] ?? middleware.filter { $0 is ErrorFormMiddleware }
            // What may be read may be asked about.
            if method == .get {
                group.on(RouterPath(path), method: .head) { try await handler($0, $1) }
                methods[path, default: []].append(.head)
            }
        }

        func refuseOtherMethods() {
            for (path, allowed) in methods {
                let group = router.group()
                for each in forms[path] ?? [] { group.add(middleware: each) }
                let list = Set(allowed).map { "\($0)" }.sorted().joined(separator: ", ")
                for method in RouteTable.known where !allowed.contains(method) {
                    group.on(RouterPath(path), method: method) { request, _ -> Response in
                        throw ServerError.methodNotAllowed(request.method, list)
                    }
                }
            }
        }
    }

    extension ServerError {
        fileprivate static func methodNotAllowed(_ method: HTTPRequest.Method, _ allowed: String) -> ServerError {
            var error = ServerError(
                "method", .methodNotAllowed, title: "The method is not for this path",
                detail: "\(method) is not for this path", remedy: "It takes \(allowed).")
            error.allow = allowed
            return error
        }
    }
#endif
