internal import Apus
internal import CServerPages
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// The page at `/`, the documentation, and what the page asks.
struct PageRoutes {
    let models: ModelRegistry
    let version: String

    /// Nothing from elsewhere, and no script or style in the page itself.
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
                Status(version: version, ready: models.isReady, models: models.all.map { ModelStatus($0) }))
        }
    }

    private static func page(_ name: String, _ type: String) -> Response {
        let index = (0..<apus_page_count()).first { apus_page_name($0).map { String(cString: $0) } == name }
        guard let index else { preconditionFailure("\(name) is part of the program") }
        let bytes = UnsafeRawBufferPointer(start: apus_page_bytes(index), count: apus_page_size(index))
        return Response(
            status: .ok,
            headers: [
                .contentType: type, .contentSecurityPolicy: policy, .cacheControl: "no-cache",
                .named("Referrer-Policy"): "no-referrer",
                .named("Permissions-Policy"): "camera=(self), microphone=(), geolocation=()",
            ], body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    private struct Status: Encodable {
        var name = "apus"
        var version: String
        var ready: Bool
        var models: [ModelStatus]
    }

    /// What runs a model.
    private struct ModelStatus: Encodable {
        var name: String
        /// "ready", "loading", "failed" or "unloaded".
        var state: String
        var version: Int
        var family: String?
        var device: String?
        var deviceName: String?
        var deviceReason: String?
        var precision: String?
        var verified: String?
        var canvases: [String]?
        var assumptions: [String]?
        /// Whether the device answers wrong.
        var fault: Bool?

        init(_ entry: (name: String, state: ModelRegistry.State, version: Int, reloadFailure: String?)) {
            name = entry.name
            version = entry.version
            switch entry.state {
            case .loading: state = "loading"
            case .failed: state = "failed"
            case .unloaded: state = "unloaded"
            case .ready(let model):
                state = "ready"
                let execution = model.detector.execution
                family = model.detector.family
                device = execution.device
                deviceName = execution.deviceName
                deviceReason = execution.reason
                precision = execution.precision?.rawValue
                verified = execution.verification.state.rawValue
                canvases = execution.canvases.map(\.description)
                assumptions = model.detector.assumptions
                fault = model.detector.deviceFault != nil
            }
        }
    }
}
