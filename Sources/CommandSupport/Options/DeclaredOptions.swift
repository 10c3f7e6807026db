package import ArgumentParser
internal import Remedies
package import Settings

/// A setting's value from the command line.
package struct GivenSetting<Value: Sendable>: Sendable {
    let key: String
    let text: String
    package let value: Value

    fileprivate init(_ declaration: SettingDeclaration<some SettingsRoot, Value>, _ text: String) throws {
        key = declaration.key
        self.text = text
        value = try declaration.value(of: [text])
    }
}

extension Option {
    /// The option of a setting, which is nil if it isn't given: other sources may set it then.
    ///
    /// - Parameter help: where the setting means something else than usual.
    package init<Root, Content>(
        _ declaration: SettingDeclaration<Root, Content>, help: String? = nil
    ) where Value == GivenSetting<Content>? {
        self.init(
            name: .customLong(declaration.key), help: ArgumentHelp(declaration, help),
            completion: declaration.syntax.completionKind, transform: { try GivenSetting(declaration, $0) })
    }

    /// An option that may be repeated.
    package init<Root, Element>(
        repeated declaration: SettingDeclaration<Root, [Element]>
    ) where Value == [GivenSetting<[Element]>] {
        self.init(
            wrappedValue: [], name: .customLong(declaration.key), parsing: .singleValue,
            help: ArgumentHelp(declaration), completion: declaration.syntax.completionKind,
            transform: { try GivenSetting(declaration, $0) })
    }
}

// A flag has the name of its property, from which `GivenSettings` has its key.

extension Flag where Value == Bool {
    /// The flag of a setting that is off by default.
    package init<Root>(_ declaration: SettingDeclaration<Root, Bool>) {
        self.init(wrappedValue: false, help: ArgumentHelp("\(declaration.help.text(for: .command))"))
    }
}

extension Flag where Value == Bool? {
    /// The two flags of a setting that can be switched on and off, and may be neither.
    package init<Root>(inverted declaration: SettingDeclaration<Root, Bool>) {
        let isOn = declaration.defaultTexts == [true.description]
        let standard = "--\(isOn ? "" : "no-")\(declaration.key)"
        self.init(
            inversion: .prefixedNo,
            help: ArgumentHelp("\(declaration.help.text(for: .command)) (default: \(standard))"))
    }
}

extension ArgumentHelp {
    /// Values and defaults are shown as ArgumentParser shows its own.
    fileprivate init(_ declaration: some DeclaredSetting, _ help: String? = nil) {
        let syntax = declaration.syntax
        let standard = declaration.defaultTexts?.joined(separator: ",") ?? declaration.fallback?.text(for: .command)
        let facts = [
            syntax.choices.isEmpty ? nil : "values: \(syntax.choices.joined(separator: ", "))",
            standard.map { "default: \($0)" },
        ].compactMap(\.self).joined(separator: "; ")
        self.init(
            (help ?? declaration.help.text(for: .command)) + (facts.isEmpty ? "" : " (\(facts))"),
            discussion: declaration.details?.text(for: .command) ?? "", valueName: syntax.valueName)
    }
}

extension SettingSyntax {
    fileprivate var completionKind: CompletionKind? {
        switch completion {
        case .none: nil
        case .file: .file()
        case .folder: .directory
        case .words(let words): .list(words)
        }
    }
}
