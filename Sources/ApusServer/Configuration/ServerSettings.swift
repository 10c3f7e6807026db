package import Apus
internal import Configuration
internal import Foundation
package import Remedies
internal import Yams

/// The settings of a server, from the command line, else the environment, else a file, else the defaults.
package struct ServerSettings: Sendable {
    private struct Layer {
        var origin: (Setting) -> String
        var reader: ConfigReader
    }

    private struct Value: Sendable {
        var texts: [String]
        var origin: String
    }

    private let values: [String: Value]

    /// - Parameters:
    ///   - commandLine: values by the name of the setting.
    ///   - file: YAML or JSON.
    /// - Throws: `ApusError` that names a key, a variable or a value that cannot be.
    package init(
        commandLine: [String: [String]], environment: [String: String], file: String?
    ) throws(ApusError) {
        let known = Dictionary(uniqueKeysWithValues: Setting.all.map { ($0.variable, $0) })
        for variable in environment.keys.sorted()
        where variable.hasPrefix("APUS_") && known[variable] == nil
            && !Setting.otherVariables.contains(variable)
        {
            throw ApusError(
                .option, doing: "read the environment", cause: "the variable \(variable) is no setting",
                remedy: "Remove it; there are: \(Setting.all.map(\.variable).joined(separator: ", ")).")
        }
        var layers = [
            Layer(
                origin: { "--\($0.name)" },
                reader: ConfigReader(
                    provider: InMemoryProvider(
                        name: "command line", values: ServerSettings.values(commandLine)))),
            Layer(
                origin: \.variable,
                reader: ConfigReader(
                    provider: EnvironmentVariablesProvider(environmentVariables: environment).prefixKeys(
                        with: "apus"))
            ),
        ]
        if let file {
            let entries = try ServerSettings.read(file)
            layers.append(
                Layer(
                    origin: { _ in file },
                    reader: ConfigReader(
                        provider: InMemoryProvider(name: file, values: ServerSettings.values(entries)))))
        }
        var found: [String: Value] = [:]
        for setting in Setting.all {
            // The first layer that has it; then its values are checked, wherever they come from.
            for layer in layers {
                guard let texts = ServerSettings.texts(of: setting, in: layer.reader) else { continue }
                found[setting.name] = Value(texts: texts, origin: layer.origin(setting))
                break
            }
            if found[setting.name] == nil, let standard = setting.standard {
                found[setting.name] = Value(texts: [standard], origin: "default")
            }
        }
        values = found
        for setting in Setting.all { try check(setting) }
    }

    private static func values(_ entries: [String: [String]]) -> [AbsoluteConfigKey: ConfigValue] {
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        for (name, texts) in entries {
            let isList = Setting.all.contains { if case .list = $0.kind { $0.name == name } else { false } }
            values[[name]] =
                isList ? .init(.stringArray(texts), isSecret: false) : .init(.string(texts[0]), isSecret: false)
        }
        return values
    }

    private static func texts(of setting: Setting, in reader: ConfigReader) -> [String]? {
        let key = ConfigKey([setting.name])
        if case .list = setting.kind { return reader.stringArray(forKey: key) }
        return reader.string(forKey: key).map { [$0] }
    }

    // MARK: The file

    private static func read(_ file: String) throws(ApusError) -> [String: [String]] {
        func failure(_ cause: String, _ remedy: Remedy) -> ApusError {
            ApusError(.option, doing: "read the settings \(file)", cause: cause, remedy: remedy)
        }
        let text = try SettingsText.read(file) { failure($0, "Set config to a YAML or JSON file.") }
        let node: Node?
        do {
            node = try compose(yaml: text)  // JSON is YAML
        } catch {
            throw failure(
                "\(error)", "Fix the YAML or JSON syntax; there is one line per setting, as in \"port: 8000\".")
        }
        guard let node else { return [:] }
        guard let mapping = node.mapping else {
            throw failure("it holds no settings by name", "Write one per line, as in \"port: 8000\".")
        }
        var entries: [String: [String]] = [:]
        for (key, value) in mapping {
            let name = key.string ?? ""
            guard let setting = Setting.all.first(where: { $0.name == name }) else {
                throw failure(
                    "there is no setting \"\(name)\"",
                    "There are: \(Setting.all.map(\.name).joined(separator: ", ")).")
            }
            entries[name] = try values(of: setting, value, failure)
        }
        return entries
    }

    /// A setting's values in the file: one, a list, or models by name.
    private static func values(
        of setting: Setting, _ value: Node, _ failure: (_ cause: String, _ remedy: Remedy) -> ApusError
    ) throws(ApusError) -> [String] {
        let name = setting.name
        if let sequence = value.sequence {
            guard case .list = setting.kind else { throw failure("\(name) is a list", "Give it one value.") }
            let texts = sequence.compactMap(\.scalar).map(\.string)
            guard !texts.isEmpty, texts.count == sequence.count else {
                throw failure(
                    "\(name) is a list that is empty, or of more than texts",
                    name == "model"
                        ? "Write model: [a.onnx, b.onnx], or model: {street: a.onnx, farm: b.onnx}."
                        : "Write \(name): [one, two].")
            }
            return texts
        }
        if let models = value.mapping, name == "model" {
            // model: {street: a.onnx, farm: b.onnx}
            guard models.count > 0, models.allSatisfy({ $0.key.scalar != nil && $0.value.scalar != nil }) else {
                throw failure("model names no files", "Write model: {street: a.onnx, farm: b.onnx}.")
            }
            return models.map { "\($0.key.string ?? "")=\($0.value.scalar?.string ?? "")" }
        }
        guard let scalar = value.scalar else {
            throw failure("\(name) has no value that can be read", "Give it one value.")
        }
        return [scalar.string]
    }

    // MARK: Reading

    private func failure(_ name: String, _ cause: String, _ remedy: Remedy) -> ApusError {
        let value = values[name]
        return ApusError(
            .option,
            doing: "use \(name) \(value?.texts.joined(separator: ",") ?? "") (\(value?.origin ?? "default"))",
            cause: cause, remedy: remedy)
    }

    private func check(_ setting: Setting) throws(ApusError) {
        guard let texts = values[setting.name]?.texts else { return }
        for text in texts {
            switch setting.kind {
            case .text, .list:
                if text.isEmpty { throw failure(setting.name, "it is empty", "Give it a value, or leave it out.") }
            case .flag:
                guard ["true", "false"].contains(text) else {
                    throw failure(setting.name, "it must be true or false", "Set it to one of them.")
                }
            case .count(let range):
                guard let value = Int(text), range.contains(value) else {
                    throw failure(
                        setting.name, "it must be an integer from \(range.lowerBound) to \(range.upperBound)",
                        "Set it to one.")
                }
            case .fraction:
                guard let value = Float(text), (0...1).contains(value) else {
                    throw failure(setting.name, "it must be a number from 0 to 1", "Set it to one.")
                }
            case .bytes:
                guard ServerSettings.bytes(text) != nil else {
                    throw failure(setting.name, "it is not a valid size", "Write it as 20MB, 64KiB or 1000.")
                }
            case .secondsOrOff where text == "off": break
            case .seconds, .secondsOrOff:
                guard ServerSettings.seconds(text) != nil else {
                    throw failure(
                        setting.name, "it must be a time from 1 ms to 24 h", "Write it as 30 (seconds), 0.5 or 500ms.")
                }
            }
        }
    }

    package func text(_ name: String) -> String? { values[name]?.texts.first }

    func list(_ name: String) -> [String] { values[name]?.texts ?? [] }

    func flag(_ name: String) -> Bool { text(name) == "true" }

    func count(_ name: String) -> Int? { text(name).flatMap { Int($0) } }

    func fraction(_ name: String) -> Float? { text(name).flatMap { Float($0) } }

    func bytes(_ name: String) -> Int { text(name).flatMap(ServerSettings.bytes) ?? 0 }

    func seconds(_ name: String) -> Duration { text(name).flatMap(ServerSettings.seconds) ?? .zero }

    /// Nil for "off".
    func secondsOrOff(_ name: String) -> Duration? { text(name).flatMap(ServerSettings.seconds) }

    /// A value of a type that its text names.
    func parsed<Value>(_ name: String, _ remedy: Remedy, _ parse: (String) -> Value?) throws(ApusError) -> Value {
        guard let value = parse(text(name) ?? "") else {
            throw failure(name, "it is not a valid \(name)", remedy)
        }
        return value
    }

    package func refuse(_ name: String, _ cause: String, _ remedy: Remedy) -> ApusError { failure(name, cause, remedy) }

    private static func bytes(_ text: String) -> Int? {
        guard let match = text.wholeMatch(of: /(\d{1,12})\s*([kKmMgG]?i?)[bB]?/), let number = Int(match.1) else {
            return nil
        }
        let factors = [
            "": 1, "k": 1000, "m": 1_000_000, "g": 1_000_000_000, "ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30,
        ]
        guard let factor = factors[match.2.lowercased()] else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow || product < 1 || product > 1 << 40 ? nil : product
    }

    private static func seconds(_ text: String) -> Duration? {
        guard let match = text.wholeMatch(of: /(\d+(?:\.\d+)?)\s*(ms|s)?/), let number = Double(match.1) else {
            return nil
        }
        let seconds = match.2 == "ms" ? number / 1000 : number
        return (0.001...86_400).contains(seconds) ? .milliseconds(Int64(seconds * 1000)) : nil
    }

    /// All settings with where they come from, as a file that can be read again.
    package var printed: String {
        var lines: [String] = []
        for setting in Setting.all {
            guard let value = values[setting.name] else {
                lines.append("# \(setting.name):")
                continue
            }
            let text: String
            if case .list = setting.kind {
                text = "[\(value.texts.map(ServerSettings.quoted).joined(separator: ", "))]"
            } else {
                text = ServerSettings.quoted(value.texts[0])
            }
            let line = "\(setting.name): \(text)"
            lines.append(line + String(repeating: " ", count: max(1, 40 - line.count)) + "# \(value.origin)")
        }
        return lines.joined(separator: "\n")
    }

    private static func quoted(_ text: String) -> String {
        text.wholeMatch(of: /[A-Za-z0-9_.\/-]+/) != nil ? text : "'" + text.replacing("'", with: "''") + "'"
    }
}
