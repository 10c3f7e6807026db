import ApusServer
import Foundation
import HTTPTypes
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOHTTPTypes
import Testing

struct HTTP1CodecTests {
    /// A connection that responds 200 to every request that comes through, when its end does.
    private final class Connection {
        let channel = EmbeddedChannel()
        private(set) var requests: [HTTPRequest] = []
        private(set) var errors: [any Error] = []

        init() throws {
            let log = RequestLog(
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, metrics: ServerMetrics())
            try channel.pipeline.syncOperations.addHandlers([
                HTTPResponseEncoder(), ByteToMessageHandler(HTTPRequestDecoder()), HTTP1Codec(log: log),
            ])
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        }

        /// - Returns: what is sent back.
        func send(_ text: String, responds: Bool = true) throws -> String {
            do { try channel.writeInbound(ByteBuffer(string: text)) } catch { errors.append(error) }
            while let part = try channel.readInbound(as: HTTPRequestPart.self) {
                if case .head(let request) = part { requests.append(request) }
                if case .end = part, responds { try respond() }
            }
            return try received()
        }

        func respond() throws {
            try channel.writeOutbound(
                HTTPResponsePart.head(HTTPResponse(status: .ok, headerFields: [.contentLength: "0"])))
            try channel.writeOutbound(HTTPResponsePart.end(nil))
        }

        func received() throws -> String {
            channel.embeddedEventLoop.run()
            var text = ""
            while let bytes = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: bytes) }
            return text.lowercased()
        }

        /// Whether the connection ends once its client had time to read.
        var ends: Bool {
            channel.embeddedEventLoop.advanceTime(by: .seconds(5))
            return !channel.isActive
        }
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", true), ("GET / HTTP/1.1\r\nHost: a\r\nConnection: TE\r\n\r\n", true),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: TE, close\r\n\r\n", false),
        ("GET / HTTP/1.0\r\n\r\n", false), ("GET / HTTP/1.0\r\nHost: a\r\n\r\n", false),
        ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true),
        ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true),
    ])
    func aConnectionPersistsAsTheClientAndTheVersionHaveIt(request: String, persists: Bool) throws {
        let connection = try Connection()
        let response = try connection.send(request)
        #expect(response.contains("200 ok"))
        #expect(response.contains("connection: close") == !persists, "\(response)")
        if persists, request.contains("HTTP/1.0") {
            #expect(response.hasPrefix("http/1.0") && response.contains("connection: keep-alive"))
        }
        #expect(connection.ends == !persists)
    }

    /// The first request is answered, and the client told to use another connection: NIO's decoder reads nothing more.
    @Test(arguments: [
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13",
    ])
    func anUpgradeIsIgnored(headers: String) throws {
        let connection = try Connection()
        let response = try connection.send("GET /v2 HTTP/1.1\r\nHost: a\r\n\(headers)\r\n\r\n")
        #expect(response.contains("200 ok") && response.contains("connection: close"))
        #expect(connection.requests.first?.headerFields[.upgrade] == nil)
        #expect(connection.ends)
    }

    @Test(arguments: [
        ("", 400), ("Host: a\r\nHost: b\r\n", 400), ("Host: a b\r\n", 400), ("Host: a/b\r\n", 400),
        ("Host: user@a\r\n", 400), ("Host: [::1].evil.example\r\n", 400), ("Host: a\r\n", 200),
        ("Host: \r\n", 200), ("Host: [::1]:8000\r\n", 200), ("Host: 127.0.0.1:8000\r\n", 200),
    ])
    func aRequestHasOneValidHost(headers: String, status: Int) throws {
        let connection = try Connection()
        let response = try connection.send("GET / HTTP/1.1\r\n\(headers)\r\n")
        #expect(response.hasPrefix("http/1.1 \(status) "), "\(response)")
        #expect(connection.requests.count == (status == 200 ? 1 : 0))
        #expect(connection.ends == (status != 200))
    }

    @Test(arguments: [
        "GARBAGE\r\n\r\n", "GET / HTTP/3.0\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n bad: x\r\n\u{1}: y\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    ])
    func whatIsNotHTTPIsRefusedWithAReason(bytes: String) throws {
        let connection = try Connection()
        let response = try connection.send(bytes)
        #expect(response.hasPrefix("http/1.1 400 bad request"), "\(response)")
        #expect(response.contains("application/problem+json") && response.contains("docs#malformed"))
        #expect(connection.requests.isEmpty)
        #expect(connection.ends)
    }

    @Test func headersThatAreTooLargeHaveAStatusOfTheirOwn() throws {
        let connection = try Connection()
        let response = try connection.send(
            "GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 200_000))\r\n\r\n")
        #expect(response.hasPrefix("http/1.1 431 "), "\(response.prefix(200))")
        #expect(connection.ends)
    }

    @Test func aRefusalOfHEADHasNoBody() throws {
        let response = try Connection().send("HEAD / HTTP/1.1\r\n\r\n")
        #expect(response.hasPrefix("http/1.1 400 ") && response.hasSuffix("\r\n\r\n"), "\(response)")
    }

    @Test func theProtocolOfThePathGivesAnErrorItsForm() throws {
        let v2 = try Connection().send("GET /v2/models HTTP/1.1\r\n\r\n")
        #expect(v2.contains("\r\n\r\n{\"error\":\"the request has no host header. send exactly one.\"}"), "\(v2)")
        let v1 = try Connection().send("GET /v1/status HTTP/1.1\r\n\r\n")
        #expect(v1.contains("\"success\":false"), "\(v1)")
    }

    /// The response to what is malformed comes after those to the requests before it.
    @Test func responsesKeepTheirOrder() throws {
        let connection = try Connection()
        let first = try connection.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGARBAGE\r\n\r\n", responds: false)
        #expect(first.isEmpty)
        try connection.respond()
        let responses = try connection.received()
        let good = try #require(responses.range(of: "200 ok"))
        let bad = try #require(responses.range(of: "400 bad request"))
        #expect(good.lowerBound < bad.lowerBound)
        #expect(connection.ends)
    }

    @Test(arguments: ["ZZ\r\nabc\r\n", "-1\r\na\r\n", "FFFFFFFFFFFFFFFFF\r\na\r\n", "3\nabc\r\n"])
    func whoReadsABodyHearsThatItIsMalformed(chunk: String) throws {
        let connection = try Connection()
        let early = try connection.send(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(chunk)")
        #expect(early.isEmpty)
        #expect(connection.errors.contains { $0 is HTTPParserError })
        let error = ServerError(try #require(connection.errors.first))
        #expect(error.status == .badRequest && error.kind == .malformed)
        // One response, which ends the connection, whatever else is written.
        try connection.respond()
        try connection.respond()
        let response = try connection.received()
        #expect(response.components(separatedBy: "http/1.1").count == 2, "\(response)")
        #expect(response.contains("connection: close"))
        #expect(connection.ends)
    }
}
