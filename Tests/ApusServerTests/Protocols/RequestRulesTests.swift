import Apus
import ApusServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Imaging
import NIOCore
import TestSupport
import Testing

/// What every protocol refuses, each in its own form.
@Suite(.enabled(if: TestRuntime.isWanted)) struct RequestRulesTests {
    private static let key = "0123456789abcdef"

    @Test func anUnknownPathHasTheFormOfItsProtocol() async throws {
        try await TestServer.run { client in
            for (path, field) in [
                ("/v2/nothing", "error"), ("/v1/nothing", "error"), ("/v2x", "detail"), ("/nothing", "detail"),
            ] {
                try await client.execute(uri: path, method: .get) { response in
                    #expect(response.status == .notFound)
                    #expect(
                        (response.object[field] as? String)?.contains(path) == true, "\(path): \(response.text)")
                    let type = field == "error" ? "application/json" : "application/problem+json"
                    #expect(response.headers[.contentType] == type)
                }
            }
            try await client.execute(uri: "/v1/nothing", method: .get) {
                #expect($0.object["success"] as? Bool == false)
            }
        }
    }

    @Test func aCompressedBodyIsRefused() async throws {
        try await TestServer.run { client in
            for path in ["/predict", "/v2/models/demo/infer", "/v1/vision/detection"] {
                try await client.execute(
                    uri: path, method: .post, headers: [.contentType: "image/jpeg", .contentEncoding: "gzip"],
                    body: ByteBuffer(string: "x")
                ) { response in
                    #expect(response.status == .unsupportedMediaType, "\(path)")
                    #expect(response.headers[.acceptEncoding] == "identity")
                    #expect(response.text.contains("gzip"))
                }
            }
        }
    }

    @Test func theNamesOfAQueryAreDecoded() async throws {
        try await TestServer.run { client in
            let body = try TestImages.bytes()
            for (query, status) in [("%6Cimit=1", 200), ("limit=1&%6cimit=2", 400), ("%6Cimit=0", 400)] {
                try await client.execute(
                    uri: "/predict?\(query)", method: .post, headers: [.contentType: "image/jpeg"], body: body
                ) { #expect($0.status.code == status, "\(query): \($0.text)") }
            }
        }
    }

    /// Cairo's limit is reached by an image that may be detected in.
    @Test func anImageThatCannotBeDrawnOnIsTheClientsMistake() async throws {
        let wide = try ImageEncoder.encode(
            Bitmap(width: 33_000, height: 2, pixels: [UInt8](repeating: 90, count: 3 * 33_000 * 2)), as: .png)
        try await TestServer.run { client in
            try await client.execute(
                uri: "/predict?annotate=true", method: .post, headers: [.contentType: "image/png"],
                body: ByteBuffer(bytes: wide)
            ) { response in
                #expect(response.status == .badRequest, "\(response.text)")
                #expect(response.text.contains("32767 pixels a side"))
            }
        }
    }

    /// A key that no client shows costs the server no parsing.
    @Test func aBodyIsParsedAfterItsKeyOnly() async throws {
        let server = try await TestServer { $0.keys = APIKeys([Self.key]) }
        try await server.test { client in
            for path in ["/v1/vision/detection", "/v1/vision/custom/list", "/v1/vision/custom/demo"] {
                // Whether it is JSON shows only to those who parse it.
                try await client.execute(
                    uri: path, method: .post, headers: [.contentType: "application/json"],
                    body: ByteBuffer(string: "{")
                ) { #expect($0.status == .unauthorized, "\(path)") }
            }
            let image = try TestImages.bytes()
            for (field, status) in [(Self.key, 200), ("wrong key", 401)] {
                let (type, form) = TestImages.form([
                    ("image", "a.jpg", image), ("api_key", nil, ByteBuffer(string: field)),
                ])
                try await client.execute(
                    uri: "/v1/vision/detection", method: .post, headers: [.contentType: type], body: form
                ) { #expect($0.status.code == status, "\($0.text)") }
            }
        }
    }

    @Test(arguments: [
        ("localhost", true), ("localhost:8000", true), ("127.0.0.1", true), ("[::1]", true), ("[::1]:8000", true),
        ("", true), ("a.localhost", true), ("192.168.1.5:80", true), ("[::1].evil.example", false),
        ("[::1]evil.example", false), ("[evil.example]", false), ("127.0.0.1.evil.example", false),
        ("evil.example", false), ("[::1]:80:90", false), ("localhost.evil.example:80", false),
    ])
    func onlyAddressesAndLocalhostAreLocal(authority: String, isLocal: Bool) {
        #expect(OriginMiddleware.isLocal(authority) == isLocal)
    }
}
