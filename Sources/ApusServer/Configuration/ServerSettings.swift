package import Apus
internal import Configuration
internal import Remedies
internal import Settings

/// The settings of a server, from the command line, else the environment, else a file, else the defaults.
package struct ServerSettings: Sendable {
    private typealias Declaration = any DeclaredSetting<ServerConfiguration>

    private struct Layer {
        var origin: (Setting) -> String
        var reader: ConfigReader
    }

    private struct Value: Sendable {
        var texts: [String]
        var origin: String
    }

    /// The set values, by key.
    private let values: [String: Value]
    private let assignments: [SettingAssignment<ServerConfiguration>]

    /// - Parameters:
    ///   - commandLine: values by setting key.
    ///   - file: YAML or JSON.
    /// - Throws: `ApusError` that names the invalid key, variable or value.
    package init(
        commandLine: [String: [String]], environment: [String: String], file: String?
    ) throws(ApusError) {
        try ServerSettings.check(environment)
        var layers = [
            Layer(
                origin: { $0.name(for: .command) },
                reader: ServerSettings.reader("command line", ServerSettings.values(commandLine))),
            Layer(
                origin: \.variable,
                reader: ConfigReader(
                    provider: EnvironmentVariablesProvider(environmentVariables: environment).prefixKeys(
                        with: "apus"))
            ),
        ]
        if let file {
            let entries = try SettingsFile.read(file)
            layers.append(
                Layer(origin: { _ in file }, reader: ServerSettings.reader(file, ServerSettings.values(entries))))
        }
        var (values, assignments) = ([String: Value](), [SettingAssignment<ServerConfiguration>]())
        for declaration in ServerSetting.all {
            // The first layer that contains it; its values are validated whatever their origin.
            for layer in layers {
                guard let texts = ServerSettings.texts(of: declaration, in: layer.reader) else { continue }
                let value = Value(texts: texts, origin: layer.origin(declaration.setting))
                values[declaration.key] = value
                do throws(InvalidValue) {
                    assignments.append(try declaration.assignment(of: texts))
                } catch {
                    throw ServerSettings.failure(declaration.key, value, error.cause, error.remedy)
                }
                break
            }
        }
        self.values = values
        self.assignments = assignments
    }

    func apply(to configuration: inout ServerConfiguration) throws(ApusError) {
        for assignment in assignments { try assignment.apply(&configuration) }
    }

    /// Whether it is set, even to its default.
    func isSet(_ declaration: some DeclaredSetting) -> Bool { values[declaration.key] != nil }

    func refuse(_ declaration: some DeclaredSetting, _ cause: String, _ remedy: Remedy) -> ApusError {
        ServerSettings.failure(declaration.key, values[declaration.key], cause, remedy)
    }

    private static func failure(_ key: String, _ value: Value?, _ cause: String, _ remedy: Remedy) -> ApusError {
        ApusError(
            .option,
            doing: "use \(key) \(value?.texts.joined(separator: ",") ?? "") (\(value?.origin ?? "default"))",
            cause: cause, remedy: remedy)
    }

    // MARK: Layers

    /// Variables of other parts of Apus, which are not server settings.
    private static let otherVariables: Set = [
        "APUS_RUNTIME", "APUS_CONFIG", "APUS_REQUIRE_RUNTIME", "APUS_SIMULATED_GPU", "APUS_RECORD_HELP",
        "APUS_FUZZ", "APUS_LEAN",
    ]

    private static func check(_ environment: [String: String]) throws(ApusError) {
        let variables = ServerSetting.all.map(\.setting.variable)
        for variable in environment.keys.sorted()
        where variable.hasPrefix("APUS_") && !variables.contains(variable) && !otherVariables.contains(variable) {
            throw ApusError(
                .option, doing: "read the environment", cause: "the variable \(variable) is not a setting",
                remedy: "Remove it. Available: \(variables.joined(separator: ", ")).")
        }
    }

    private static func reader(_ name: String, _ values: [AbsoluteConfigKey: ConfigValue]) -> ConfigReader {
        ConfigReader(provider: InMemoryProvider(name: name, values: values))
    }

    private static func values(_ entries: [String: [String]]) -> [AbsoluteConfigKey: ConfigValue] {
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        for (key, texts) in entries {
            values[[key]] =
                ServerSetting.named(key)?.syntax.isList == true
                ? .init(.stringArray(texts), isSecret: false) : .init(.string(texts[0]), isSecret: false)
        }
        return values
    }

    private static func texts(of declaration: Declaration, in reader: ConfigReader) -> [String]? {
        let key = ConfigKey([declaration.key])
        if declaration.syntax.isList { return reader.stringArray(forKey: key) }
        return reader.string(forKey: key).map { [$0] }
    }

    // MARK: Printing

    /// All settings with their origins, in the format of a settings file.
    package var printed: String {
        ServerSetting.all.map { declaration in
            let standard = declaration.defaultTexts.map { Value(texts: $0, origin: "default") }
            guard let value = values[declaration.key] ?? standard else { return "# \(declaration.key):" }
            let texts = value.texts.map(ServerSettings.quoted).joined(separator: ", ")
            let line = "\(declaration.key): \(declaration.syntax.isList ? "[\(texts)]" : texts)"
            return line + String(repeating: " ", count: max(1, 40 - line.count)) + "# \(value.origin)"
        }.joined(separator: "\n")
    }

    private static func quoted(_ text: String) -> String {
        text.wholeMatch(of: /[A-Za-z0-9_.\/-]+/) != nil ? text : "'" + text.replacing("'", with: "''") + "'"
    }
}
