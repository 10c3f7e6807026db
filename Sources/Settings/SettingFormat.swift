package import Remedies

/// Why text is not a valid value of a setting, and how to write one.
package struct InvalidValue: Error, CustomStringConvertible {
    package var cause: String
    package var remedy: Remedy

    package init(_ cause: String, _ remedy: Remedy) {
        self.cause = cause
        self.remedy = remedy
    }

    /// The text in terms of the command.
    package var description: String { "\(cause). \(remedy.text(for: .command))" }
}

/// What people and shells need to know to write a value.
package struct SettingSyntax: Sendable {
    package enum Completion: Sendable, Equatable {
        case none, file, folder
        case words([String])
    }

    /// The value's name in placeholders, such as "seconds"; empty for the name of the setting.
    package let valueName: String
    /// The possible values, or patterns of them; empty if they can't be listed.
    package let choices: [String]
    package let completion: Completion
    /// Whether it may be repeated.
    package fileprivate(set) var isList = false

    package init(valueName: String, choices: [String] = [], completion: Completion = .none) {
        self.valueName = valueName
        self.choices = choices
        self.completion = completion
    }
}

/// How a value is parsed from text, and formatted so that it can be parsed again.
package struct SettingFormat<Value: Sendable>: Sendable {
    package typealias Parse = @Sendable (_ texts: [String], _ key: String) throws(InvalidValue) -> Value

    package let syntax: SettingSyntax
    /// Only a list has more than one text.
    package let parse: Parse
    package let texts: @Sendable (Value) -> [String]

    private init(syntax: SettingSyntax, parse: @escaping Parse, texts: @escaping @Sendable (Value) -> [String]) {
        self.syntax = syntax
        self.parse = parse
        self.texts = texts
    }

    /// A value with a single text.
    package init(
        _ syntax: SettingSyntax,
        parse: @escaping @Sendable (_ text: String, _ key: String) throws(InvalidValue) -> Value,
        text: @escaping @Sendable (Value) -> String
    ) {
        self.init(
            syntax: syntax,
            parse: { texts, key throws(InvalidValue) in
                guard let text = texts.first, !text.isEmpty else { throw .empty }
                return try parse(text, key)
            },
            texts: { [text($0)] })
    }

    /// A list of values, one text each.
    package static func list<Element>(
        of element: SettingFormat<Element>,
        check: @escaping @Sendable ([Element]) throws(InvalidValue) -> Void = { _ in }
    ) -> SettingFormat where Value == [Element] {
        var syntax = element.syntax
        syntax.isList = true
        return SettingFormat(
            syntax: syntax,
            parse: { texts, key throws(InvalidValue) in
                let values = try texts.map { text throws(InvalidValue) in try element.parse([text], key) }
                try check(values)
                return values
            },
            texts: { $0.flatMap(element.texts) })
    }
}

extension InvalidValue {
    fileprivate static let empty = InvalidValue("it is empty", "Set a value, or omit it.")
}
