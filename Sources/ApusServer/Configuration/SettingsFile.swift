internal import Apus
internal import Remedies
internal import Settings
internal import Yams

/// A YAML or JSON file of settings.
enum SettingsFile {
    /// Its values, by setting key.
    static func read(_ file: String) throws(ApusError) -> [String: [String]] {
        func failure(_ cause: String, _ remedy: Remedy) -> ApusError {
            ApusError(.option, doing: "read the settings \(file)", cause: cause, remedy: remedy)
        }
        let text = try SettingsText.read(file) { failure($0, "Set config to a YAML or JSON file.") }
        let node: Node?
        do {
            node = try compose(yaml: text)  // JSON is a subset of YAML
        } catch {
            throw failure(
                "\(error)", "Fix the YAML or JSON syntax; there is one line per setting, as in \"port: 8000\".")
        }
        guard let node else { return [:] }
        guard let mapping = node.mapping else {
            throw failure("it contains no settings by name", "Write one per line, as in \"port: 8000\".")
        }
        var entries: [String: [String]] = [:]
        for (key, value) in mapping {
            let name = key.string ?? ""
            guard let declaration = ServerSetting.named(name) else {
                throw failure(
                    "there is no setting named \"\(name)\"",
                    "Available: \(ServerSetting.all.map(\.key).joined(separator: ", ")).")
            }
            entries[name] = try texts(of: declaration, value, failure)
        }
        return entries
    }

    /// A setting's values in the file: one, a list, or models by name.
    private static func texts(
        of declaration: any DeclaredSetting, _ value: Node, _ failure: (_ cause: String, _ remedy: Remedy) -> ApusError
    ) throws(ApusError) -> [String] {
        let (key, isModel) = (declaration.key, declaration.setting == .model)
        if let sequence = value.sequence {
            guard declaration.syntax.isList else { throw failure("\(key) is a list", "Use a single value.") }
            let texts = sequence.compactMap(\.scalar).map(\.string)
            guard !texts.isEmpty, texts.count == sequence.count else {
                throw failure(
                    "\(key) is a list that is empty or contains values other than strings",
                    isModel
                        ? "Write model: [a.onnx, b.onnx], or model: {street: a.onnx, farm: b.onnx}."
                        : "Write \(key): [one, two].")
            }
            return texts
        }
        if let models = value.mapping, isModel {
            // model: {street: a.onnx, farm: b.onnx}
            guard models.count > 0, models.allSatisfy({ $0.key.scalar != nil && $0.value.scalar != nil }) else {
                throw failure("model names no files", "Write model: {street: a.onnx, farm: b.onnx}.")
            }
            return models.map { "\($0.key.string ?? "")=\($0.value.scalar?.string ?? "")" }
        }
        guard let scalar = value.scalar else {
            throw failure("\(key) has no readable value", "Use a single value.")
        }
        return [scalar.string]
    }
}
