import Apus
import ApusServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import InMemoryLogging
import Logging
import NIOCore
import Testing

/// The line that each request gets.
struct RequestLogTests {
    private static let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    private static func lines(_ server: InProcessServer) -> [InMemoryLogHandler.Entry] {
        server.log.filter { $0.metadata["request_id"] != nil }
    }

    @Test func aRequestsLineHasWhatItCost() async throws {
        let server = try await InProcessServer()
        try await server.test { client in
            _ = try await client.execute(
                uri: "/predict?limit=1", method: .post,
                headers: [.contentType: "image/png", .requestID: "camera-7", .traceParent: Self.trace],
                body: try TestImages.small())
        }
        let line = try #require(Self.lines(server).first)
        #expect(line.message == "POST /predict 200" && line.level == .info)
        #expect(line.metadata["request_id"] == "camera-7")
        #expect(line.metadata["trace_id"] == "0af7651916cd43dd8448eb211c80319c")
        #expect(line.metadata["model"] == "demo" && line.metadata["device"] == "CPU")
        #expect(line.metadata["objects"] == "3")
        #expect(line.metadata["preprocess_ms"] == "1.0" && line.metadata["inference_ms"] == "2.0")
        #expect(line.metadata["postprocess_ms"] == "3.0")
        #expect(line.metadata["queue_ms"] != nil && line.metadata["decode_ms"] != nil && line.metadata["ms"] != nil)
        #expect(line.metadata["error"] == nil && line.metadata["batch"] == nil)
    }

    @Test func failuresAreErrorsAndProbesAreQuiet() async throws {
        let server = try await InProcessServer()
        try await server.test { client in
            for uri in ["/v2/health/live", "/v2/health/ready", "/metrics", "/status", "/nothing\u{202e}x"] {
                _ = try await client.execute(uri: uri, method: .get)
            }
            server.detector.fail(ApusError(.inference, doing: "detect objects", cause: "out of memory"))
            _ = try await client.execute(
                uri: "/predict", method: .post, headers: [.contentType: "image/png"], body: try TestImages.small())
            server.detector.fail(ApusError(.deviceFault, doing: "detect objects", cause: "NaN"))
            _ = try await client.execute(
                uri: "/predict", method: .post, headers: [.contentType: "image/png"], body: try TestImages.small())
        }
        let lines = Self.lines(server)
        #expect(
            lines.map { "\($0.level) \($0.message)" } == [
                "debug GET /v2/health/live 200", "debug GET /v2/health/ready 200", "debug GET /metrics 200",
                "info GET /status 200", "info GET /nothing\\u{202E}x 404", "error POST /predict 500",
                // The server is full or the device at fault, which others watch.
                "info POST /predict 503",
            ])
        #expect(lines[4].metadata["error"] == "not-found: There is no /nothing\\u{202E}x")
        #expect("\(lines[5].metadata["error"] ?? "")".hasPrefix("inference: could not detect objects: out of memory"))
        #expect("\(lines[6].metadata["error"] ?? "")".hasPrefix("device-fault: could not detect objects: NaN"))
    }

    @Test func aBatchIsNamed() async throws {
        let server = try await InProcessServer { $0.inference = .init(maxBatch: 4) }
        try await server.test { client in
            let image = try TestImages.small()
            let (type, form) = TestImages.form([("file", "a.png", image), ("file", "b.png", image)])
            _ = try await client.execute(uri: "/predict", method: .post, headers: [.contentType: type], body: form)
        }
        #expect(Self.lines(server).first?.metadata["batch"] == "2")
    }
}
