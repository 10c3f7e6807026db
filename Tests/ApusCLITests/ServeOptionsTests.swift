import Foundation
import TestSupport
import Testing

@Suite struct ServeOptionsTests {
    /// What `--print-config` prints: the settings as they are declared, with the value and the origin of each.
    private func settings(_ arguments: [String] = []) async throws -> [(key: String, value: String, origin: String)] {
        let run = try await Command.run(executable: Command.apus, ["serve", "--print-config"] + arguments)
        #expect(run.status == 0, "\(run.errors)")
        return run.output.split(separator: "\n").map { line in
            let parts = line.split(separator: "#", omittingEmptySubsequences: false).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            let entry = (parts[0].isEmpty ? parts[1] : parts[0]).split(separator: ":", maxSplits: 1).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            return (entry[0], entry.count == 2 ? entry[1] : "", parts[0].isEmpty ? "" : parts[1])
        }
    }

    @Test func thereIsAnOptionForEachSettingAndNoOther() async throws {
        let help = try await Command.run("serve", "--help").output
        let options = help.matches(of: /\n  (?:-h, )?--([a-z-]+)/).map { String($0.1) }
        let keys = try await settings().map(\.key)
        #expect(options.sorted() == (keys + ["config", "print-config", "help"]).sorted())
    }

    /// With its default, and where there is none, with a value that is valid.
    @Test func eachOptionSetsItsSetting() async throws {
        let values = [
            "family": "detr", "labels": "labels.txt", "grpc-port": "0", "tls-cert": "cert.pem", "tls-key": "key.pem",
            "runtime": "/runtime", "cors-origin": "https://example.com", "url-host": "example.com",
            "deepstack-limit": "20",
        ]
        let folder = try TemporaryFolder()
        let lines = try folder.write(Array("0123456789abcdef\n".utf8), to: "lines.txt")
        let declared = try await settings().filter { $0.key != "cache-dir" }  // excludes no-cache
        let arguments = declared.flatMap { key, value, _ in
            switch (key, value) {
            case ("labels", _), ("api-key-file", _): ["--\(key)", lines]
            case (_, "true"), (_, "false"): ["--\(key)"]
            default: ["--\(key)", values[key] ?? value.trimmingCharacters(in: ["[", "]"])]
            }
        }
        let given = try await settings(arguments).filter { $0.key != "cache-dir" }
        #expect(given.map(\.key) == declared.map(\.key))
        for setting in given { #expect(setting.origin == "--\(setting.key)") }
        let folderGiven = try await settings(["--cache-dir", folder.url.path])
        #expect(folderGiven.contains { $0.key == "cache-dir" && $0.origin == "--cache-dir" })
    }

    @Test func valuesAreCheckedAsInDetect() async throws {
        for command in [["serve"], ["detect", "x.png"]] {
            let run = try await Command.run(executable: Command.apus, command + ["--provider", "cuda"])
            #expect(run.status == 64)
            #expect(run.errors.contains("it is not a valid provider. Choose auto, openvino or cpu."), "\(run.errors)")
        }
    }

    @Test(arguments: ["detect", "serve"]) func shellsCompleteTheValues(command: String) async throws {
        let script = try await Command.run("--generate-completion-script", "bash").output
        let function = try #require(script.components(separatedBy: "\n_apus_\(command)() {").dropFirst().first)
        let body = try #require(function.components(separatedBy: "\n}").first)
        for words in ["auto openvino cpu", "auto f32 bf16 f16", "auto exact padded", "detr"] {
            let words = words.split(separator: " ")
            #expect(body.contains(words.map { "'\($0)'" }.joined(separator: "$'\\n'")), "\(words)")
        }
    }
}
