import Apus
import ApusServer
import Foundation
import Hummingbird
import HummingbirdTesting
import InMemoryLogging
import Logging

/// A server with fake detectors, whose routes are called without a socket.
struct InProcessServer {
    let server: Server
    let detector: FakeDetector
    private let handler: InMemoryLogHandler

    /// - Parameter models: names, each with the same detector.
    init(
        _ detector: FakeDetector = FakeDetector(), models: [String] = ["demo"], loads: Bool = true,
        _ change: (inout ServerConfiguration) -> Void = { _ in }
    ) async throws {
        var configuration = ServerConfiguration(
            models: models.map { ModelRegistry.Source(name: $0, model: .demo) }, detector: Detector.Configuration())
        configuration.version = "1.2.3"
        change(&configuration)
        var handler = InMemoryLogHandler()
        handler.logLevel = .debug
        self.handler = handler
        self.detector = detector
        server = Server(configuration, logger: Logger(label: "test") { [handler] _ in handler }) { _, _ in detector }
        if loads { try await server.models.loadAll() }
    }

    var log: [InMemoryLogHandler.Entry] { handler.entries }

    func test<Value>(_ body: @Sendable (any TestClientProtocol) async throws -> Value) async throws -> Value {
        defer { server.queue.stop() }
        return try await server.application().test(.router, body)
    }

    static func run(_ body: @Sendable (any TestClientProtocol) async throws -> Void) async throws {
        try await InProcessServer().test(body)
    }

    /// Keeps the only thread that runs models busy while `body` runs.
    func whileBusy<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        let release = DispatchSemaphore(value: 0)
        let queue = server.queue
        let busy = Task { try await queue.perform { _ in release.wait() }.batch }
        while queue.load.running == 0 { try await Task.sleep(for: .milliseconds(1)) }
        defer { release.signal() }
        let value = try await body()
        release.signal()
        _ = try await busy.value
        return value
    }
}
