import Apus
import Foundation
import HTTPTypes
import HummingbirdTesting
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOHTTPTypes
import NIOPosix
import TestSupport
import Testing

@testable import ApusServer

@Suite(.enabled(if: TestRuntime.isWanted)) struct ClientWatchTests {
    /// Answers a condition that comes true some time; false after ten minutes, which only a hang takes.
    private static func holds(_ condition: () -> Bool) async throws -> Bool {
        for _ in 0..<60_000 {
            if condition() { return true }
            try await Task.sleep(for: .milliseconds(10))
        }
        return false
    }

    @Test(arguments: ["/predict", "/v1/vision/detection", "/v2/models/demo/infer"])
    func whatNobodyWaitsForLeavesTheQueueAtOnce(path: String) async throws {
        let server = try await TestServer()
        let queue = server.server.queue
        try await server.test { client in
            // The only thread that runs models is taken, so what comes now waits.
            let release = DispatchSemaphore(value: 0)
            let taken = Task { try await queue.perform { _ in release.wait() }.batch }
            #expect(try await Self.holds { queue.load.running == 1 })
            let (head, body) = try Self.request(path)
            let connection = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .connect(host: "127.0.0.1", port: try #require(client.port)).get()
            try await connection.writeAndFlush(head)
            try await connection.writeAndFlush(body)
            #expect(try await Self.holds { queue.load.queued == 1 && queue.load.admitted == 1 })
            try await connection.close()
            #expect(try await Self.holds { queue.load.queued == 0 && queue.load.admitted == 0 })
            #expect(queue.load.running == 1)
            release.signal()
            _ = try await taken.value
        }
    }

    /// A byte at a time keeps a timer of silence from running out; a connection with a request now and then stays open.
    @Test func aHeadThatNeverComesWholeEndsTheConnection() throws {
        let loop = EmbeddedEventLoop()
        let log = RequestLog(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, metrics: ServerMetrics())
        func connect() throws -> EmbeddedChannel {
            let channel = EmbeddedChannel(loop: loop)
            try channel.pipeline.syncOperations.addHandlers([
                HTTPResponseEncoder(), ByteToMessageHandler(HTTPRequestDecoder()), HTTP1Codec(log: log),
                ClientWatch(headTimeout: .seconds(60)),
            ])
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
            return channel
        }
        let (slow, good) = (try connect(), try connect())
        let head = "GET / HTTP/1.1\r\nHost: a\r\n"
        for second in 1...180 {
            if slow.isActive { try slow.writeInbound(ByteBuffer(string: second == 1 ? head + "X-A: " : "a")) }
            if second.isMultiple(of: 45) {
                try good.writeInbound(ByteBuffer(string: head + "\r\n"))
                try good.writeOutbound(
                    HTTPResponsePart.head(HTTPResponse(status: .ok, headerFields: [.contentLength: "0"])))
                try good.writeOutbound(HTTPResponsePart.end(nil))
            }
            loop.advanceTime(by: .seconds(1))
            #expect(slow.isActive == (second < 60) && good.isActive, "after \(second) s")
        }
        loop.advanceTime(by: .seconds(60))
        #expect(!good.isActive)
    }

    private static func request(_ path: String) throws -> (ByteBuffer, ByteBuffer) {
        let (type, body): (String, ByteBuffer) =
            if path.hasPrefix("/v2") {
                (
                    "application/json",
                    ByteBuffer(
                        string:
                            #"{"inputs": [{"name": "image", "shape": [1], "datatype": "BYTES", "data": ["YWJj"]}]}"#
                    )
                )
            } else {
                TestImages.form([("image", "farm.jpg", try TestImages.bytes())])
            }
        let head = """
            POST \(path) HTTP/1.1\r
            Host: localhost\r
            Content-Type: \(type)\r
            Content-Length: \(body.readableBytes)\r
            \r

            """
        return (ByteBuffer(string: head), body)
    }
}
