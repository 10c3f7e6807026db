import Apus
import ApusServer
import Foundation
import Remedies
import Settings
import TestSupport
import Testing

@Suite struct ServerSettingTests {
    typealias Declaration = any DeclaredSetting<ServerConfiguration>

    @Test func eachIsDeclaredOnce() {
        let keys = ServerSetting.all.map(\.key)
        #expect(Set(keys).count == keys.count)
        for declaration in ServerSetting.all {
            // A remedy of the server names the key under which it can be set.
            #expect(declaration.setting.serverKey == declaration.key)
        }
    }

    @Test(arguments: ServerSetting.all.map(\.key)) func eachReachesItsDestination(key: String) throws {
        let folder = try TemporaryFolder()
        // Serves as class names and as API keys.
        let file = try folder.write(Array("0123456789abcdef\n".utf8), to: "lines.txt")
        let declaration = try #require(ServerSetting.all.first { $0.key == key })
        let text = try #require(Self.otherValue(of: declaration, file: file), "no value to try \(key) with")
        var configuration = ServerConfiguration.defaults
        try declaration.assignment(of: [text]).apply(&configuration)
        switch key {
        case "labels": #expect(configuration.detector.labels?.names.isEmpty == false)
        case "api-key-file": #expect(configuration.keys.areWanted)
        default: #expect(declaration.texts(of: configuration) == [text])
        }
    }

    /// A valid value that isn't the default.
    private static func otherValue(of declaration: Declaration, file: String) -> String? {
        let words = if case .words(let words) = declaration.syntax.completion { words } else { [String]() }
        return (words + [file, "7", "0.5", "https://example.com", "example.com"]).first { text in
            (try? declaration.assignment(of: [text])) != nil && declaration.defaultTexts != [text]
        }
    }

    @Test(arguments: ServerSetting.all.map(\.key)) func defaultsCanBeWritten(key: String) throws {
        let declaration = try #require(ServerSetting.all.first { $0.key == key })
        guard let texts = declaration.defaultTexts else { return }
        var configuration = ServerConfiguration.defaults
        try declaration.assignment(of: texts).apply(&configuration)
        #expect(declaration.texts(of: configuration) == texts)
    }

    @Test func errorsListTheChoices() throws {
        let remedies = try ["provider": "Choose auto, openvino or cpu.", "log-format": "Choose text or json."].map {
            let (key, remedy) = $0
            let error = #expect(throws: ApusError.self) {
                try ServerSettings(commandLine: [key: ["other"]], environment: [:], file: nil)
            }
            return (try #require(error).remedy, remedy)
        }
        for (found, expected) in remedies { #expect(found == expected) }
    }

    // MARK: Documentation

    /// The recorded help is what `CommandLineTests` compares the command with.
    @Test func helpShowsEachWithItsDefault() throws {
        let help = try String(contentsOf: Fixtures.url("help/serve.txt"), encoding: .utf8)
        let entries = help.components(separatedBy: "\n  --").dropFirst().map {
            $0.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }
        for declaration in ServerSetting.all {
            let entry = try #require(
                entries.first { $0.split(whereSeparator: { " /".contains($0) }).first == declaration.key[...] },
                "--\(declaration.key) is missing")
            #expect(entry.contains(declaration.help.text(for: .command)), "\(declaration.key)")
            guard let texts = declaration.defaultTexts else { continue }
            let value = texts.joined(separator: ",")
            switch value {
            case "false": #expect(!entry.contains("default:"))
            case "true": #expect(entry.hasSuffix("(default: --\(declaration.key))"))
            default: #expect(entry.contains("default: \(value))"), "\(declaration.key)")
            }
        }
    }

    /// To take over a change: `APUS_RECORD_HELP=1 swift test --filter ServerSettingTests`.
    @Test func theTableInTheDocumentationIsAsDeclared() throws {
        let file = "\(Fixtures.projectFolder)/docs/serve.md"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let (start, end) = ("<!-- settings: APUS_RECORD_HELP=1 swift test -->\n", "\n<!-- end of settings -->")
        let parts = text.components(separatedBy: start)
        try #require(parts.count == 2)
        let rest = parts[1].components(separatedBy: end)
        try #require(rest.count == 2)
        if ProcessInfo.processInfo.environment["APUS_RECORD_HELP"] != nil {
            try (parts[0] + start + Self.table + end + rest[1]).write(toFile: file, atomically: true, encoding: .utf8)
        } else {
            #expect(rest[0] == Self.table)
        }
    }

    private static var table: String {
        let rows = ServerSetting.all.map { declaration in
            let syntax = declaration.syntax
            let values = syntax.choices.isEmpty ? syntax.valueName : syntax.choices.joined(separator: ", ")
            let standard =
                declaration.defaultTexts.map { "`\($0.joined(separator: ","))`" }
                ?? declaration.fallback?.text(for: .server) ?? ""
            return [
                "`\(declaration.key)`", values.replacing("|", with: " or "), standard,
                declaration.help.text(for: .server),
            ]
        }
        return ([["setting", "values", "default", "what"], Array(repeating: "---", count: 4)] + rows)
            .map { "| \($0.joined(separator: " | ")) |" }.joined(separator: "\n")
    }
}
