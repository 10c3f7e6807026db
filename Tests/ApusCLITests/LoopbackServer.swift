import Foundation
import Subprocess
import TestSupport

/// A server of Fixtures that serves one file on the loopback.
enum LoopbackServer {
    /// Runs `body` beside it, with its address.
    static func run(
        _ script: String, serving file: String, _ body: @escaping @Sendable (_ address: String) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        let arguments = [Fixtures.path(script), Fixtures.path(file), folder.path("port")]
        _ = try await Subprocess.run(
            .name("python3"), arguments: Arguments(arguments), input: .none, output: .discarded, error: .discarded
        ) { server in
            defer { try? server.send(signal: .terminate) }
            for _ in 0..<12_000 where !FileManager.default.fileExists(atPath: folder.path("port")) {
                try await Task.sleep(for: .milliseconds(50))
            }
            let port = try String(contentsOfFile: folder.path("port"), encoding: .utf8)
            try await body("http://127.0.0.1:\(port)")
        }
    }
}
