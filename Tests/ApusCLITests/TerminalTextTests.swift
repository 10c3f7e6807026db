import Apus
import Foundation
import ONNX
import TestSupport
import Testing

/// What files call their parts reaches a terminal as text, never as commands to it.
@Suite struct TerminalTextTests {
    /// Red, a bell, C1's own "control sequence introducer", an override of direction, and a line of its own.
    private let name = "\u{1B}[31mred\u{7}\u{9B}2J\u{202E}gnp\u{2028}\r\nverified  yes"

    /// Nothing but lines of visible characters.
    private func isPlain(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            scalar == "\n" || ![.control, .format, .lineSeparator].contains(scalar.properties.generalCategory)
        }
    }

    private func model(_ folder: TemporaryFolder) throws -> String {
        var model = ONNXModel()
        model.opsets = [("", 17)]
        model.producerName = name
        model.metadata = [(name, name)]
        model.graph.name = "g"
        model.graph.inputs = [ValueDeclaration(name: name, type: .tensor(.float32, [.named(name)]))]
        model.graph.outputs = [ValueDeclaration(name: "y", type: .tensor(.float32, [.named(name)]))]
        model.graph.nodes = [Node("Relu", inputs: [name], outputs: ["y"], name: name)]
        return try folder.write(ONNXFile.skeleton(model), to: "model.onnx")
    }

    @Test func controlsAreShownByTheirNumbers() {
        #expect(
            TerminalText.escaped(name, keepingLines: false)
                == #"\u{1B}[31mred\u{7}\u{9B}2J\u{202E}gnp\u{2028}\u{D}\u{A}verified  yes"#)
        #expect(TerminalText.escaped("a\tb\nc") == "a\tb\nc")
        for text in ["naïve 猫 👩‍👩‍👧 عربى", "می‌خواهم", "co\u{AD}operate"] { #expect(TerminalText.escaped(text) == text) }
        #expect(TerminalText.escaped("\u{7F}\u{E0041}\u{2066}\u{FEFF}") == #"\u{7F}\u{E0041}\u{2066}\u{FEFF}"#)
    }

    @Test func jsonKeepsItsMeaning() throws {
        let texts = [name, "\u{E0041}\u{7F}\u{85}", "plain"]
        let json = TerminalText.json(String(decoding: try JSONEncoder().encode(texts), as: UTF8.self))
        #expect(isPlain(json))
        #expect(try JSONDecoder().decode([String].self, from: Data(json.utf8)) == texts)
    }

    @Test func inspectShowsNamesAsText() async throws {
        let folder = try TemporaryFolder()
        let path = try model(folder)
        let text = try await Command.run("inspect", path)
        #expect(text.status == 0 && isPlain(text.output), "\(text.output)")
        #expect(text.output.contains(#"\u{1B}[31mred\u{7}\u{9B}2J\u{202E}gnp"#))
        // No line is one that the model made up.
        #expect(!text.output.split(separator: "\n").contains { $0.hasPrefix("verified") })
        let json = try await Command.run("inspect", path, "--format", "json")
        #expect(json.status == 0 && isPlain(json.output))
        let object = try #require(json.json as? [String: Any])
        #expect((object["metadata"] as? [String: String]) == [name: name] && object["producer"] as? String == name)
    }

    @Test(.enabled(if: TestRuntime.isWanted)) func errorsAndResultsShowNamesAsText() async throws {
        let folder = try TemporaryFolder()
        let picture = Fixtures.path("images/baseline.jpg")
        let error = try await Command.run("detect", picture, "--model", model(folder), "--provider", "cpu")
        #expect(error.status == 1 && isPlain(error.errors) && error.errors.contains(#"\u{1B}[31mred"#))
        #expect(!error.errors.split(separator: "\n").contains { $0.hasPrefix("verified") })
        let labels = try folder.write(
            Array(JSONEncoder().encode([String](repeating: name, count: 100))), to: "labels.json")
        let arguments = ["detect", picture, "--labels", labels, "--threshold", "0", "--device", "cpu"]
        let table = try await Command.run(executable: Command.apus, arguments)
        #expect(table.status == 0 && isPlain(table.output) && table.output.contains(#"\u{1B}[31mred"#))
        #expect(table.output.split(separator: "\n").count { $0.hasPrefix("verified") } == 1)
        let json = try await Command.run(executable: Command.apus, arguments + ["--format", "json"])
        let entries = try #require(json.json as? [[String: Any]])
        let found = try #require(entries.first?["results"] as? [[String: Any]])
        #expect(isPlain(json.output) && found.first?["category"] as? String == name)
    }
}
