import Apus
import ApusServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import TestSupport
import Testing

@Suite(.enabled(if: TestRuntime.isWanted)) struct OriginTests {
    private static func named(_ name: String) throws -> HTTPField.Name { try #require(HTTPField.Name(name)) }

    @Test func pagesOfOtherSitesChangeNothing() async throws {
        let server = try await TestServer()
        let path = "/v2/repository/models/demo/unload"
        try await server.test { client in
            let site = try Self.named("Sec-Fetch-Site")
            let port = try #require(client.port)
            let refused: [HTTPFields] = [
                [.origin: "https://evil.example"], [.origin: "null"], [.origin: "http://localhost:1"],
                [.origin: "https://evil.example", site: "cross-site"], [site: "cross-site"],
                [.origin: "http://localhost:\(port)", site: "same-site"],
            ]
            for headers in refused {
                try await client.execute(uri: path, method: .post, headers: headers) { response in
                    #expect(response.status == .forbidden, "\(headers)")
                    #expect(
                        (response.object["error"] as? String)?.contains("another site") == true
                            || headers[.origin] != nil)
                    #expect((response.object["error"] as? String)?.contains("setting cors-origin") == true)
                }
                try await client.execute(uri: "/predict", method: .post, headers: headers) { response in
                    #expect(response.status == .forbidden, "\(headers)")
                    #expect(response.object["type"] as? String == "/docs#origin")
                }
            }
            #expect(server.server.models.isReady)
            let own: [HTTPFields] = [
                [:], [.origin: "http://localhost:\(port)", site: "same-origin"], [site: "none"],
                [.origin: "http://localhost"],  // this client names no port of its host
            ]
            for headers in own {
                try await client.execute(uri: "/v2/repository/index", method: .post, headers: headers) {
                    #expect($0.status == .ok, "\(headers)")
                }
            }
        }
    }

    @Test func aPageThatWasAllowedIsAnsweredAlsoWithErrors() async throws {
        let server = try await TestServer { $0.origins = ["https://a.example"] }
        try await server.test { client in
            for (path, status) in [("/predict", 400), ("/nothing", 404), ("/v2", 200)] {
                try await client.execute(
                    uri: path, method: path == "/v2" ? .get : .post, headers: [.origin: "https://a.example"]
                ) { response in
                    #expect(response.status.code == status, "\(path)")
                    #expect(response.headers[.accessControlAllowOrigin] == "https://a.example")
                    #expect(response.headers[.vary] == "Origin")
                }
            }
            try await client.execute(uri: "/v2", method: .get, headers: [.origin: "https://b.example"]) {
                response in
                #expect(response.headers[.accessControlAllowOrigin] == nil)
                #expect(response.headers[.vary] == "Origin")
            }
        }
    }

    @Test func headSaysHowLongTheAnswerWouldBe() async throws {
        try await TestServer.run { client in
            let length = try await client.execute(uri: "/", method: .get) { $0.headers[.contentLength] }
            let head = try await client.execute(uri: "/", method: .head) { $0.headers[.contentLength] }
            #expect(length == head && length != "0")
        }
    }

    @Test func everyProtocolTakesAKeyInAnyOfItsWays() async throws {
        let key = "0123456789abcdef"
        let server = try await TestServer { $0.keys = APIKeys([key]) }
        try await server.test { client in
            let apiKey = try Self.named("X-API-Key")
            let (type, form) = TestImages.form([("image", "farm.jpg", try TestImages.bytes())])
            let (_, empty) = TestImages.form([
                ("image", "farm.jpg", try TestImages.bytes()), ("api_key", nil, ByteBuffer()),
            ])
            for path in ["/predict", "/v1/vision/detection"] {
                for headers in [[.authorization: "Bearer \(key)"], [apiKey: key]] as [HTTPFields] {
                    var headers = headers
                    headers[.contentType] = type
                    try await client.execute(uri: path, method: .post, headers: headers, body: form) {
                        #expect($0.status == .ok, "\(path) \(headers)")
                    }
                }
            }
            try await client.execute(
                uri: "/v1/vision/detection", method: .post, headers: [.contentType: type, apiKey: key], body: empty
            ) { #expect($0.status == .ok) }
            for path in ["/v1/status", "/status", "/metrics", "/v2"] {
                try await client.execute(uri: path, method: .get) { #expect($0.status == .unauthorized, "\(path)") }
            }
        }
    }

    @Test func jsonThatWouldTakeMuchMemoryIsRefused() async throws {
        try await TestServer.run { client in
            let ones = String(repeating: "1,", count: 2_000_001) + "1"
            for (path, body, status) in [
                (
                    "/v2/models/demo.raw/infer",
                    #"{"inputs": [{"name": "a", "shape": [1], "datatype": "FP32", "data": [\#(ones)]}]}"#, 413
                ),
                ("/predict", "[\(ones)]", 413),
                ("/predict", "{\"image\": \"\(String(repeating: ",[", count: 1000))\"}", 400),
            ] {
                try await client.execute(
                    uri: path, method: .post, headers: [.contentType: "application/json"],
                    body: ByteBuffer(string: body)
                ) { #expect($0.status.code == status, "\(path): \($0.text.prefix(300))") }
            }
        }
    }
}
