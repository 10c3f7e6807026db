import Apus
import ApusServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import TestSupport

/// A server with the demo model on the CPU.
struct TestServer {
    static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    let server: Server
    /// Verdicts of its own: those of this machine's user are none of a test's business.
    private let folder: TemporaryFolder

    init(_ change: (inout ServerConfiguration) -> Void = { _ in }) async throws {
        var configuration = ServerConfiguration(
            models: [ModelRegistry.Source(name: "demo", model: .demo)],
            detector: Detector.Configuration(device: .cpu, precision: .f32))
        configuration.port = 0
        // No test fails because the machine is busy.
        configuration.timeout = .seconds(600)
        configuration.bodyTimeout = .seconds(600)
        configuration.idleTimeout = .seconds(600)
        folder = try TemporaryFolder()
        configuration.detector.verdicts = folder.path("verdicts")
        change(&configuration)
        server = Server(configuration, logger: TestServer.silent)
        try await server.models.loadAll()
    }

    func test<Value>(_ body: @Sendable (any TestClientProtocol) async throws -> Value) async throws -> Value {
        defer { server.queue.stop() }
        return try await server.application().test(.live, body)
    }

    static func run(_ body: @escaping @Sendable (any TestClientProtocol) async throws -> Void) async throws {
        try await TestServer().test(body)
    }
}

extension TestResponse {
    var text: String { String(buffer: body) }

    var json: Any? { try? JSONSerialization.jsonObject(with: Data(Array(buffer: body))) }

    var object: [String: Any] { json as? [String: Any] ?? [:] }
}
