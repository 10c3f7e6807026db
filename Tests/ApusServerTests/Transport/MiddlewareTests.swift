import Apus
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import NIOEmbedded
import Testing

@testable import ApusServer

/// What every route has in common: IDs, keys, origins, methods and forms of errors.
struct MiddlewareTests {
    private static let key = "0123456789abcdef"
    /// Every route with its method.
    private static let routes: [(HTTPRequest.Method, String)] = [
        (.post, "/predict"), (.get, "/v2"), (.get, "/v2/health/live"), (.get, "/v2/health/ready"),
        (.get, "/v2/models/demo"), (.get, "/v2/models/demo/ready"), (.post, "/v2/models/demo/infer"),
        (.get, "/v2/models/demo/versions/1"), (.get, "/v2/models/demo/versions/1/ready"),
        (.post, "/v2/models/demo/versions/1/infer"), (.post, "/v2/repository/index"),
        (.post, "/v2/repository/models/demo/load"), (.post, "/v2/repository/models/demo/unload"),
        (.post, "/v1/vision/detection"), (.post, "/v1/vision/custom/demo"), (.post, "/v1/vision/custom/list"),
        (.get, "/v1/status"), (.get, "/status"), (.get, "/metrics"), (.get, "/"), (.get, "/page.js"),
        (.get, "/page.css"),
        (.get, "/docs"), (.get, "/openapi.json"),
    ]

    private static func each(
        _ client: any TestClientProtocol, headers: HTTPFields = [:],
        _ check: (String, TestResponse) throws -> Void
    ) async throws {
        for (method, path) in routes where !path.hasSuffix("load") {
            try check(path, try await client.execute(uri: path, method: method, headers: headers) { $0 })
        }
    }

    @Test func everyRouteButPagesAndHealthNeedsAKeyIfThereAreAny() async throws {
        let server = try await InProcessServer { $0.keys = APIKeys([Self.key, "another key of 24 letters"]) }
        let open: Set = ["/", "/page.js", "/page.css", "/docs", "/openapi.json", "/v2/health/live", "/v2/health/ready"]
        try await server.test { client in
            for headers in [
                [:], [.authorization: "Bearer wrong"], [.authorization: Self.key], [.apiKey: ""],
                [.authorization: "Bearer wrong", .apiKey: Self.key],
            ] as [HTTPFields] {
                try await Self.each(client, headers: headers) { path, response in
                    #expect((response.status == .unauthorized) != open.contains(path), "\(path) \(headers)")
                    if response.status == .unauthorized { #expect(response.headers[.wwwAuthenticate] == "Bearer") }
                }
            }
            for headers in [
                [.authorization: "Bearer \(Self.key)"], [.authorization: "bearer another key of 24 letters"],
                [.apiKey: Self.key],
            ] as [HTTPFields] {
                try await Self.each(client, headers: headers) { path, response in
                    #expect(response.status != .unauthorized, "\(path) \(headers)")
                }
            }
        }
    }

    @Test func everyResponseHasAnIDAndIsNotToBeSniffedOrKept() async throws {
        try await InProcessServer.run { client in
            try await Self.each(client) { path, response in
                #expect(response.headers[.requestID]?.count == 36, "\(path)")
                #expect(response.headers[.xContentTypeOptions] == "nosniff", "\(path)")
                #expect(["no-store", "no-cache"].contains(response.headers[.cacheControl]), "\(path)")
                #expect(response.headers[.traceParent] == nil, "\(path)")
            }
        }
    }

    @Test(arguments: [
        ("camera-7", true), (String(repeating: "a", count: 128), true), (String(repeating: "a", count: 129), false),
        ("", false), ("a b", false), ("a\"b", false), ("a\\b", false), ("ä", false),
    ])
    func aClientsIDIsKeptIfItMayStandInALog(id: String, isKept: Bool) async throws {
        try await InProcessServer.run { client in
            try await client.execute(uri: "/nothing", method: .get, headers: [.requestID: id]) { response in
                #expect((response.headers[.requestID] == id) == isKept)
                #expect(response.object["request_id"] as? String == response.headers[.requestID])
            }
        }
    }

    @Test(
        arguments: [
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "01"),
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", "00"),
            ("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", "01"),
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", nil),
            ("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", nil),
            ("00-00000000000000000000000000000000-b7ad6b7169203331-01", nil),
            ("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", nil),
            ("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", nil), ("00-nonsense", nil),
        ] as [(String, String?)])
    func aTraceGoesOnWithASpanOfItsOwn(header: String, flags: String?) async throws {
        try await InProcessServer.run { client in
            try await client.execute(uri: "/v2", method: .get, headers: [.traceParent: header]) { response in
                let own = response.headers[.traceParent]
                guard let flags else {
                    #expect(own == nil)
                    return
                }
                #expect(own?.wholeMatch(of: /00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-[0-9]{2}/) != nil)
                #expect(own?.hasSuffix(flags) == true && own?.contains("b7ad6b7169203331") == false)
            }
        }
    }

    @Test func anotherMethodIsRefusedWithThoseThatAreAllowed() async throws {
        try await InProcessServer.run { client in
            for (method, path) in Self.routes {
                for other in [HTTPRequest.Method.get, .head, .post, .put, .delete]
                where other != method && !(method == .get && other == .head) {
                    try await client.execute(uri: path, method: other) { response in
                        #expect(response.status == .methodNotAllowed, "\(other) \(path)")
                        #expect(response.headers[.allow] == (method == .get ? "GET, HEAD" : "POST"), "\(path)")
                    }
                }
            }
        }
    }

    @Test func anUnknownPathHasTheFormOfItsProtocol() async throws {
        try await InProcessServer.run { client in
            for (path, keys, type) in [
                ("/v2/nothing", ["error"], "application/json"),
                ("/v1/nothing", ["duration", "error", "success"], "application/json"),
                (
                    "/v2x", ["detail", "remedy", "request_id", "status", "title", "type"], "application/problem+json"
                ),
                (
                    "/nothing?a=b", ["detail", "remedy", "request_id", "status", "title", "type"],
                    "application/problem+json"
                ),
            ] {
                try await client.execute(uri: path, method: .get) { response in
                    #expect(response.status == .notFound && response.headers[.contentType] == type)
                    #expect(response.object.keys.sorted() == keys, "\(response.text)")
                }
            }
        }
    }

    @Test func aCompressedBodyIsRefusedByEveryProtocol() async throws {
        try await InProcessServer.run { client in
            for (method, path) in Self.routes where method == .post {
                let headers: HTTPFields = [.contentType: "image/png", .contentEncoding: "gzip"]
                try await client.execute(
                    uri: path, method: .post, headers: headers, body: ByteBuffer(string: "x")
                ) { response in
                    #expect(response.status == .unsupportedMediaType, "\(path)")
                    #expect(response.headers[.acceptEncoding] == "identity" && response.text.contains("gzip"))
                }
            }
        }
    }

    @Test func allBodiesTogetherHaveALimit() async throws {
        let server = try await InProcessServer {
            $0.maxBody = 10_000
            $0.maxBodies = 20_000
        }
        try await server.test { client in
            let other = server.server.bodies.lease()
            try other.take(15_000)
            let body = ByteBuffer(repeating: 0, count: 5_001)
            for path in ["/predict", "/v1/vision/detection", "/v2/models/demo/infer", "/v2/repository/index"] {
                try await client.execute(uri: path, method: .post, headers: [.contentType: "image/png"], body: body) {
                    #expect($0.status == .serviceUnavailable && $0.headers[.retryAfter] == "1", "\(path): \($0.text)")
                }
            }
            withExtendedLifetime(other) {}
        }
        let lease = server.server.bodies.lease()
        try lease.take(20_000)  // nothing of the refused bodies is still counted
    }

    // MARK: Origins

    @Test func pagesOfOtherSitesChangeNothing() async throws {
        let server = try await InProcessServer()
        let site = try #require(HTTPField.Name("Sec-Fetch-Site"))
        try await server.test { client in
            for (headers, isRefused) in [
                ([.origin: "https://evil.example"], true), ([.origin: "null"], true),
                ([.origin: "http://localhost:1"], true), ([site: "cross-site"], true),
                ([.origin: "http://localhost", site: "same-site"], true), ([:], false), ([site: "none"], false),
                ([.origin: "http://localhost"], false), ([.origin: "http://localhost:1", site: "same-origin"], false),
            ] as [(HTTPFields, Bool)] {
                for (method, path) in Self.routes where !path.hasSuffix("load") {
                    try await client.execute(uri: path, method: method, headers: headers) { response in
                        #expect(
                            (response.status == .forbidden) == (isRefused && method == .post), "\(path) \(headers)")
                    }
                }
            }
        }
        #expect(try server.server.models.model("demo").version == 1)
    }

    @Test func allowedOriginsGetTheirHeadersAlsoWithErrors() async throws {
        let server = try await InProcessServer { $0.origins = ["https://a.example"] }
        try await server.test { client in
            for (path, method, status) in [
                ("/predict", HTTPRequest.Method.post, 400), ("/nothing", .get, 404), ("/v2", .get, 200),
            ] {
                try await client.execute(uri: path, method: method, headers: [.origin: "https://a.example"]) {
                    #expect($0.status.code == status)
                    #expect($0.headers[.accessControlAllowOrigin] == "https://a.example")
                    #expect($0.headers[.accessControlExposeHeaders]?.contains("X-Request-Id") == true)
                    #expect($0.headers[.vary] == "Origin")
                }
                try await client.execute(uri: path, method: method, headers: [.origin: "https://b.example"]) {
                    #expect($0.status.code == (method == .post ? 403 : status))
                    #expect($0.headers[.accessControlAllowOrigin] == nil && $0.headers[.vary] == "Origin")
                }
            }
            let preflight: HTTPFields = [.origin: "https://a.example", .accessControlRequestMethod: "POST"]
            try await client.execute(uri: "/predict", method: .options, headers: preflight) { response in
                #expect(response.status == .noContent)
                #expect(response.headers[.accessControlAllowMethods] == "GET, POST")
                #expect(response.headers[.accessControlAllowHeaders]?.contains("X-API-Key") == true)
            }
        }
    }

    @Test func everyOriginCanBeAllowed() async throws {
        let server = try await InProcessServer { $0.origins = ["*"] }
        try await server.test { client in
            try await client.execute(
                uri: "/predict", method: .post, headers: [.origin: "https://b.example", .contentType: "image/png"],
                body: try TestImages.small()
            ) { #expect($0.status == .ok && $0.headers[.accessControlAllowOrigin] == "*", "\($0.text)") }
        }
    }

    /// A page whose host's name comes to mean this machine is of the same origin to its browser, but names its own host.
    @Test(arguments: [
        ("localhost", "/v2", true), ("127.0.0.1:8000", "/v2", true), ("[::1]:8000", "/v2", true), ("", "/v2", true),
        ("evil.example", "/v2", false), ("evil.example:8000", "/status", false),
        ("evil.example", "/v2/health/ready", true), ("a.example", "/v2", true),
    ])
    func aServerForItsOwnMachineIsReachedByItsOwnNames(host: String, path: String, isAllowed: Bool) async throws {
        for (listens, keys, opensUp) in [
            ("127.0.0.1", APIKeys.none, false), ("0.0.0.0", .none, true), ("127.0.0.1", APIKeys([Self.key]), true),
        ] {
            let server = try await InProcessServer {
                $0.host = listens
                $0.keys = keys
                $0.origins = ["http://a.example"]
            }
            let request = Request(
                head: HTTPRequest(
                    method: .get, scheme: "http", authority: host, path: path, headerFields: [.apiKey: Self.key]),
                body: RequestBody(buffer: ByteBuffer()))
            let context = ServerContext(source: .init(channel: EmbeddedChannel(), logger: TestServer.silent))
            let response = try await server.server.router().buildResponder().respond(to: request, context: context)
            #expect(response.status == (isAllowed || opensUp ? .ok : .forbidden), "\(listens)")
            server.server.queue.stop()
        }
    }
}
