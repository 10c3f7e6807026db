import Foundation
import TestSupport
import Testing

@Suite struct CommandLineTests {
    /// The help as people see it. To take over a change: `APUS_RECORD_HELP=1 swift test --filter CommandLineTests`.
    @Test(
        arguments: [
            "", "detect", "serve", "pull", "export", "convert", "inspect", "devices", "doctor", "verify", "bench",
            "preprocess",
        ])
    func helpIsAsRecorded(command: String) async throws {
        let run = try await Command.run(
            executable: Command.apus, command.isEmpty ? ["--help"] : [command, "--help"], environment: ["COLUMNS": "80"]
        )
        #expect(run.status == 0)
        let file = Fixtures.url("help/\(command.isEmpty ? "apus" : command).txt")
        if ProcessInfo.processInfo.environment["APUS_RECORD_HELP"] != nil {
            try Data(run.outputBytes).write(to: file)
        }
        #expect(run.output == (try String(contentsOf: file, encoding: .utf8)))
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func completionsAreWritten(shell: String) async throws {
        let run = try await Command.run("--generate-completion-script", shell)
        #expect(run.status == 0)
        #expect(run.output.contains("preprocess") && run.output.contains("threshold"))
    }

    @Test(.enabled(if: TestRuntime.isWanted)) func versionsOfAllParts() async throws {
        let run = try await Command.run("--version")
        #expect(run.status == 0)
        let lines = run.output.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[0].hasPrefix("Apus "))
        #expect(lines[1].hasPrefix("ONNX Runtime 1."))
        #expect(lines[2].hasPrefix("OpenVINO 20"))
    }

    @Test func versionWithoutARuntimeSaysSoAndFails() async throws {
        let run = try await Command.run("--version", "--runtime", "/nowhere")
        #expect(run.status == 1)
        #expect(run.output.hasPrefix("Apus "))
        #expect(run.errors.contains("/nowhere, which does not exist"))
    }
}
