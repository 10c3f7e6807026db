import Apus
import ApusServer
import Foundation
import HummingbirdTesting
import NIOCore
import NIOPosix
import TestSupport
import Testing

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

    /// A byte at a time keeps any timer of silence from running out; a connection that asks now and then lives.
    @Test func aHeadThatNeverComesWholeEndsTheConnection() async throws {
        // Long enough that a busy machine doesn't keep the good connection silent as long.
        let server = try await TestServer { $0.idleTimeout = .seconds(8) }
        try await server.test { client in
            let port = try #require(client.port)
            func connect() async throws -> any Channel {
                try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                    .connect(host: "127.0.0.1", port: port).get()
            }
            let (slow, good) = (try await connect(), try await connect())
            let head = "GET /v2/health/live HTTP/1.1\r\nX-A: \(String(repeating: "a", count: 6000))"
            for (index, byte) in head.utf8.enumerated() {
                guard slow.isActive else { break }
                try? await slow.writeAndFlush(ByteBuffer(bytes: [byte]))
                if index % 3 == 0 {
                    try await good.writeAndFlush(
                        ByteBuffer(string: "GET /v2/health/live HTTP/1.1\r\nHost: a\r\n\r\n"))
                }
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(!slow.isActive)
            #expect(good.isActive)
            #expect(try await Self.holds { !good.isActive })
        }
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
