internal import Foundation
internal import HTTPTypes
package import Hummingbird
internal import NIOCore
internal import Remedies

/// Keeps pages of other sites from using a visitor's browser to change anything here, or to reach a server that only this
/// machine should.
///
/// A browser sends a page's simple requests anywhere, and only keeps the response from it. It says where they come from, in
/// `Sec-Fetch-Site`, or `Origin` (what other programs do not send). A page whose host's name comes to mean 127.0.0.1 is of the
/// same origin to the browser, but names its own host.
package struct OriginMiddleware: RouterMiddleware {
    /// Those that were allowed, as "https://example.com", or "*".
    let origins: [String]
    /// Whether only this machine is to reach the server, and needs no key for it.
    let isLocalOnly: Bool

    package func handle(
        _ request: Request, context: ServerContext,
        next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        let host = request.head.authority?.lowercased() ?? ""
        // A proxy asks by its own name whether the server lives; that gives nothing away.
        if isLocalOnly, !request.uri.path.hasPrefix("/v2/health/"), !OriginMiddleware.isLocal(host),
            !isAllowed(host)
        {
            throw OriginMiddleware.refusal(
                "This server is for its own machine only, and is not called \(Quoted(host))",
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

    /// localhost or an address, with or without a port. An address in brackets is followed by nothing but a port.
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
