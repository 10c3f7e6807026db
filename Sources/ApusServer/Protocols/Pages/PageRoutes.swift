internal import Apus
internal import CServerPages
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// The page at `/`, the documentation, and the page's API.
struct PageRoutes {
    let models: ModelRegistry
    let version: String

    /// Allows no external resources and no inline scripts or styles.
    private static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        + "media-src 'self' blob: mediastream:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        + "frame-ancestors 'none'"

    func add(to routes: RouteTable, keys: APIKeyMiddleware, hasPage: Bool) {
        if hasPage {
            for (path, file, type) in [
                ("/", "index.html", "text/html; charset=utf-8"),
                ("/page.js", "page.js", "text/javascript; charset=utf-8"),
            ] { routes.on(.get, path) { _, _ in PageRoutes.page(file, type) } }
        }
        for (path, file, type) in [
            ("/page.css", "page.css", "text/css; charset=utf-8"),
            ("/docs", "docs.html", "text/html; charset=utf-8"),
            ("/openapi.json", "openapi.json", "application/json"),
        ] { routes.on(.get, path) { _, _ in PageRoutes.page(file, type) } }
        routes.on(.get, "/status", [keys]) { _, _ in
            try .json(
                ServerStatus(version: version, ready: models.isReady, models: models.all.map { ModelStatus($0) }))
        }
    }

    private static func page(_ name: String, _ type: String) -> Response {
        let index = (0..<apus_page_count()).first { apus_page_name($0).map { String(cString: $0) } == name }
        guard let index else { preconditionFailure("\(name) is embedded in the program") }
        let bytes = UnsafeRawBufferPointer(start: apus_page_bytes(index), count: apus_page_size(index))
        return Response(
            status: .ok,
            headers: [
                .contentType: type, .contentSecurityPolicy: policy, .cacheControl: "no-cache",
                .named("Referrer-Policy"): "no-referrer",
                .named("Permissions-Policy"): "camera=(self), microphone=(), geolocation=()",
            ], body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
