package import Apus
internal import Remedies

extension SettingFormat {
    /// One of a few values, each with a name.
    package static func choice(
        _ choices: [String], completing words: [String]? = nil, parse: @escaping @Sendable (String) -> Value?,
        text: @escaping @Sendable (Value) -> String
    ) -> SettingFormat {
        SettingFormat(
            SettingSyntax(valueName: "", choices: choices, completion: .words(words ?? choices)),
            parse: { text, key throws(InvalidValue) in
                guard let value = parse(text) else {
                    throw InvalidValue("it is not a valid \(key)", "Choose \(choices.alternatives).")
                }
                return value
            }, text: text)
    }
}

extension SettingFormat where Value: RawRepresentable<String> {
    package static func choice(of values: [Value]) -> SettingFormat {
        choice(
            values.map(\.rawValue), parse: { text in values.first { $0.rawValue == text } }, text: \.rawValue)
    }
}

extension SettingFormat where Value: RawRepresentable<String> & CaseIterable {
    package static var choice: SettingFormat { choice(of: Array(Value.allCases)) }
}

extension SettingFormat where Value == Device {
    package static var device: SettingFormat<Device> {
        choice(Device.choices, completing: Device.examples, parse: { Device($0) }, text: \.description)
    }
}

extension SettingFormat where Value == Family {
    package static var family: SettingFormat<Family> {
        choice(Family.all.map(\.name), parse: { Family($0) }, text: \.name)
    }
}

extension SettingFormat where Value == ShapePolicy {
    package static var shapes: SettingFormat<ShapePolicy> {
        let names = ShapePolicy.named.map(\.description)
        return choice(
            names + ["sizes such as \(ShapePolicy.example)"], completing: names, parse: { ShapePolicy($0) },
            text: \.description)
    }
}

extension [String] {
    /// "a, b or c".
    package var alternatives: String {
        guard let last, count > 1 else { return first ?? "" }
        return "\(dropLast().joined(separator: ", ")) or \(last)"
    }
}
