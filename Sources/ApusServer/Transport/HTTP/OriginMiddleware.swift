internal import Foundation
internal import HTTPTypes
package import Hummingbird
internal import NIOCore
internal import Remedies

/// Prevents pages of other sites from using a visitor's browser to change state (CSRF), or to reach a server that is meant
/// for this machine only (DNS rebinding).
///
/// A browser sends a page's simple requests to any site, and only withholds the response. It states their origin in
/// `Sec-Fetch-Site` or `Origin`, which other programs do not send. A page whose host name is rebound to 127.0.0.1 is
/// same-origin to the browser, but sends its own host name.
package struct OriginMiddleware: RouterMiddleware {
    /// The allowed origins, such as "https://example.com", or "*".
    let origins: [String]
    /// Whether only this machine may reach the server, without a key.
    let isLocalOnly: Bool

    package func handle(
        _ request: Request, context: ServerContext,
        next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        let host = request.head.authority?.lowercased() ?? ""
        // A proxy checks health under its own host name; the response reveals nothing.
        if isLocalOnly, !request.uri.path.hasPrefix("/v2/health/"), !OriginMiddleware.isLocal(host),
            !isAllowed(host)
        {
            throw OriginMiddleware.refusal(
                "This server is for local use only, and its name is not \(Quoted(host))",
                "Use localhost or its address, or allow the name by the server's setting "
                    + "\(setting: .corsOrigin, "http://\(Quoted(host))").")
        }
        if ![.get, .head, .options].contains(request.method), isForeign(request, host) {
            throw OriginMiddleware.refusal(
                "The request comes from a page of \(request.headers[.origin].map { "\(Quoted($0))" } ?? "another site")",
                "Allow the page by the server's setting "
                    + "\(setting: .corsOrigin, request.headers[.origin].map { "\(Quoted($0))" } ?? "https://example.com")."
            )
        }
        return try await next(request, context)
    }

    private func isForeign(_ request: Request, _ host: String) -> Bool {
        guard let origin = request.headers[.origin] else {
            return request.headers[.secFetchSite] == "cross-site" && !origins.contains("*")
        }
        if origins.contains("*") || origins.contains(origin) { return false }
        if let site = request.headers[.secFetchSite] { return site != "same-origin" && site != "none" }
        return OriginMiddleware.host(of: origin) != host
    }

    private func isAllowed(_ host: String) -> Bool {
        origins.contains { $0 == "*" || OriginMiddleware.host(of: $0) == host }
    }

    private static func host(of origin: String) -> String {
        String(origin.lowercased().drop { $0 != "/" }.drop { $0 == "/" })
    }

    /// localhost or an address, with an optional port. Only a port may follow an address in brackets.
    package static func isLocal(_ authority: String) -> Bool {
        guard let authority = Authority(authority) else { return false }
        let host = authority.host
        let isName = host.isEmpty || host == "localhost" || host.hasSuffix(".localhost")
        return (isName && !authority.isBracketed) || (try? SocketAddress(ipAddress: String(host), port: 0)) != nil
    }

    private static func refusal(_ detail: String, _ remedy: Remedy) -> ServerError {
        ServerError(.origin, detail, remedy: remedy)
    }
}

extension HTTPField.Name {
    fileprivate static let secFetchSite = named("Sec-Fetch-Site")
}
