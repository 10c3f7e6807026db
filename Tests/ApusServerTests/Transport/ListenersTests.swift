import Apus
import ApusServer
import Foundation
import Logging
import NIOCore
import NIOPosix
import TestSupport
import Testing

@Suite(.enabled(if: TestRuntime.isWanted)) struct ListenersTests {
    private static func server(_ change: (inout ServerConfiguration) throws -> Void) throws -> Server {
        var configuration = ServerConfiguration(
            models: [ModelRegistry.Source(name: "demo", model: .demo)],
            detector: Detector.Configuration(device: .cpu, precision: .f32))
        configuration.port = 0
        try change(&configuration)
        return Server(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Half a server would look like a whole one to whoever starts it.
    @Test(arguments: [true, false]) func aPortThatIsTakenEndsTheServer(isGRPC: Bool) async throws {
        let taken = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(taken.localAddress?.port)
        let server = try Self.server {
            $0.port = isGRPC ? 0 : port
            $0.grpcPort = isGRPC ? port : 0
        }
        let error = await #expect(throws: ApusError.self) { try await server.run() }
        #expect(error?.doing == "listen on 127.0.0.1, port \(port)")
        #expect(error?.cause == "Address already in use")
        #expect(error?.remedy?.contains(isGRPC ? "grpc-port" : "Set port") == true)
        try await taken.close()
    }

    @Test(arguments: ["no such host.invalid", "[::1", "256.0.0.1.example.invalid"])
    func aHostThatIsNoneIsSaid(host: String) async throws {
        let server = try Self.server { $0.host = host }
        let error = await #expect(throws: ApusError.self) { try await server.run() }
        #expect(error?.doing == "listen on \(host)")
    }

    @Test func anIPv6AddressMayHaveBrackets() throws {
        let settings = try ServerSettings(commandLine: ["host": ["[::1]"]], environment: [:], file: nil)
        #expect(try ServerConfiguration(settings).host == "::1")
    }

    @Test(arguments: ["no file", "not PEM", "another key"]) func aWrongTLSKeyIsSaid(kind: String) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("apus-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let certificate = Fixtures.path("tls/certificate.pem")
        let key = folder.appendingPathComponent("key.pem").path
        if kind == "not PEM" { try "hello".write(toFile: key, atomically: true, encoding: .utf8) }
        if kind == "another key" {
            try FileManager.default.copyItem(atPath: Fixtures.path("tls/other-key.pem"), toPath: key)
        }
        let server = try Self.server { $0.tls = .init(certificate: certificate, key: key) }
        let error = await #expect(throws: ApusError.self) { try await server.run() }
        #expect(error?.doing == "use TLS")
        #expect(error?.cause.contains(key) == true, "\(String(describing: error))")
        #expect(
            error?.cause.contains(
                ["no file": "does not exist", "not PEM": "not a PEM private key", "another key": "is not the key of"][
                    kind, default: ""]) == true)
    }
}
