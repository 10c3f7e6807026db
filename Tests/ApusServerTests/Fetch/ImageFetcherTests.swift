import ApusServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import TestSupport
import Testing

@Suite struct AllowedHostTests {
    @Test func onlyNamesPortsAndOneStarAreRead() {
        for text in ["example.com", "EXAMPLE.com:8443", "*.example.com", "*", "*:8080", "10.0.0.1"] {
            #expect(AllowedHost(text) != nil, "\(text)")
        }
        for text in [
            "", "https://example.com", "example.com/a", "example.com:", "example.com:0", "example.com:99999", "*.",
            "a*.example.com", "[::1]", "user@example.com", ".example.com", "-a.com",
        ] {
            #expect(AllowedHost(text) == nil, "\(text)")
        }
    }
}

@Suite struct PublicAddressTests {
    @Test(arguments: [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.8.8.8", "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.19.255.255",
        "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "::1",
        "::ffff:10.0.0.1", "::ffff:8.8.8.8", "64:ff9b::808:808", "100::1", "2001::1", "2001:db8::1", "2002:a00:1::",
        "3fff::1", "fc00::1", "fd12::1", "fe80::1", "fec0::1", "ff02::1",
    ])
    func whatIsSpecialIsNotPublic(text: String) throws {
        #expect(!PublicAddress.isPublic(try SocketAddress(ipAddress: text, port: 80)))
    }

    @Test(arguments: [
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "128.0.0.1",
        "172.15.0.1", "172.32.0.1", "192.0.1.1", "192.169.0.1", "198.20.0.1", "223.255.255.255",
        "2606:4700:4700::1111", "2001:4860:4860::8888", "2a00:1450::1", "3ffe::1",
    ])
    func whatIsGivenOutIsPublic(text: String) throws {
        #expect(PublicAddress.isPublic(try SocketAddress(ipAddress: text, port: 80)))
    }

    @Test func aSocketInAFileIsNot() throws {
        #expect(!PublicAddress.isPublic(try SocketAddress(unixDomainSocketPath: "/run/a.sock")))
    }
}

@Suite(.enabled(if: TestRuntime.isWanted)) struct ImageFetcherTests {
    /// What the pictures' server does, by path.
    private static func pictures() throws -> some ApplicationProtocol {
        let router = Router()
        let farm = try TestImages.bytes()
        router.get("farm.jpg") { _, _ in Response(status: .ok, body: .init(byteBuffer: farm)) }
        router.get("moved") { _, _ in Response(status: .found, headers: [.location: "/farm.jpg"]) }
        router.get("circle") { _, _ in Response(status: .found, headers: [.location: "/circle"]) }
        for (path, location) in [
            ("elsewhere", "http://elsewhere.invalid/farm.jpg"), ("inside", "http://169.254.169.254/latest/"),
            ("file", "file:///etc/passwd"),
        ] {
            router.get("\(path)") { _, _ in Response(status: .found, headers: [.location: location]) }
        }
        router.get("text") { _, _ in "no picture" }
        router.get("endless") { _, _ in
            Response(
                status: .ok,
                body: .init { writer in
                    let part = ByteBuffer(repeating: 0, count: 65536)
                    for _ in 0..<10_000 { try await writer.write(part) }
                    try await writer.finish(nil)
                })
        }
        return Application(router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)))
    }

    private struct Answer {
        var status: Int
        var object: [String: Any]
        var kind: String { ((object["type"] as? String) ?? "").replacing("/docs#", with: "") }
    }

    private static func ask(_ client: any TestClientProtocol, _ body: String) async throws -> Answer {
        try await client.execute(
            uri: "/predict", method: .post, headers: [.contentType: "application/json"],
            body: ByteBuffer(string: body)
        ) { Answer(status: $0.status.code, object: $0.object) }
    }

    @Test func aPictureOfAnAllowedHostIsAnsweredAlsoWhenItMoved() async throws {
        try await Self.pictures().test(.live) { pictures in
            let port = try #require(pictures.port)
            let server = try await TestServer {
                $0.urlHosts = [AllowedHost("localhost:\(port)")].compactMap { $0 }
                $0.mayFetch = { _ in true }
                $0.maxBody = 1_000_000
                $0.urlTimeout = .seconds(600)
                $0.timeout = .seconds(600)
            }
            try await server.test { client in
                for path in ["farm.jpg", "moved"] {
                    let address = "http://LocalHost:\(port)/\(path)"
                    let answer = try await Self.ask(client, #"{"url": "\#(address)"}"#)
                    #expect(answer.status == 200, "\(path): \(answer.object)")
                    #expect((answer.object["results"] as? [Any])?.count == 6)
                    #expect(answer.object["image"] as? String == address)
                }
                for (path, status, kind) in [
                    ("circle", 502, "url-failed"), ("missing", 502, "url-failed"),
                    ("endless", 413, "too-large"), ("text", 400, "picture"), ("file", 400, "bad-request"),
                    ("elsewhere", 403, "url-refused"), ("inside", 403, "url-refused"),
                ] {
                    let answer = try await Self.ask(client, #"{"url": "http://localhost:\#(port)/\#(path)"}"#)
                    #expect(answer.status == status && answer.kind == kind, "\(path): \(answer.object)")
                    #expect(!"\(answer.object)".contains("127.0.0.1"))
                }
            }
        }
    }

    @Test func aServerThatDoesNotRespondIsGivenUp() async throws {
        let (gate, release) = AsyncStream.makeStream(of: Never.self)
        let router = Router()
        router.get("silent") { _, _ in
            for await _ in gate {}
            return "late"
        }
        let silent = Application(router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)))
        try await silent.test(.live) { pictures in
            defer { release.finish() }
            let port = try #require(pictures.port)
            let server = try await TestServer {
                $0.urlHosts = [AllowedHost("localhost:\(port)")].compactMap { $0 }
                $0.mayFetch = { _ in true }
                $0.urlTimeout = .milliseconds(200)
                $0.timeout = .seconds(600)
            }
            try await server.test { client in
                let answer = try await Self.ask(client, #"{"url": "http://localhost:\#(port)/silent"}"#)
                #expect(answer.status == 504 && answer.kind == "url-failed", "\(answer.object)")
                #expect(!"\(answer.object)".contains("127.0.0.1"))
            }
        }
    }

    @Test func privateAddressesAreNeverAskedWhateverIsAllowed() async throws {
        try await Self.pictures().test(.live) { pictures in
            let port = try #require(pictures.port)
            let server = try await TestServer {
                $0.urlHosts = ["*", "*:\(port)"].compactMap { AllowedHost($0) }
            }
            try await server.test { client in
                for host in [
                    "localhost:\(port)", "127.0.0.1:\(port)", "127.1:\(port)", "2130706433:\(port)",
                    "0x7f.1:\(port)",
                    "169.254.169.254", "10.0.0.1",
                ] {
                    let answer = try await Self.ask(client, #"{"url": "http://\#(host)/farm.jpg"}"#)
                    #expect(answer.status == 403 && answer.kind == "url-refused", "\(host): \(answer.object)")
                }
            }
        }
    }

    @Test func whatIsNoAddressOrNotAllowedIsRefused() async throws {
        let server = try await TestServer {
            $0.urlHosts = ["example.com", "*.example.org"].compactMap { AllowedHost($0) }
            $0.mayFetch = { _ in
                Issue.record("it was looked up")
                return false
            }
        }
        try await server.test { client in
            for (url, status) in [
                ("ftp://example.com/a.jpg", 400), ("file:///etc/passwd", 400), ("example.com/a.jpg", 400),
                ("http://user:word@example.com/", 400), ("http://[::1]/", 400), ("", 400), ("http://", 400),
                ("http://example.net/a.jpg", 403), ("http://example.com:8080/a.jpg", 403),
                ("http://example.com.example.net/", 403), ("http://a.example.com/", 403),
                ("http://example.org/", 403), ("http://badexample.org/", 403),
                ("https://example.com@example.net/", 400), ("http://example.com%2eexample.net/", 403),
            ] {
                let answer = try await Self.ask(client, #"{"url": "\#(url)"}"#)
                #expect(answer.status == status, "\(url): \(answer.object)")
            }
            for body in [#"{"url": 5}"#, #"{}"#, #"{"url": "http://example.com/", "image": "YQ=="}"#, #"{"a": 1}"#] {
                #expect(try await Self.ask(client, body).status == 400, "\(body)")
            }
        }
    }

    @Test func nothingIsFetchedUnlessItWasAllowed() async throws {
        try await TestServer.run { client in
            let answer = try await Self.ask(client, #"{"url": "https://example.com/street.jpg"}"#)
            #expect(answer.status == 403 && answer.kind == "url-refused")
            #expect((answer.object["remedy"] as? String)?.contains("setting url-host") == true)
        }
    }
}
