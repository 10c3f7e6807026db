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
    /// The option of a setting; nil if not given, so that other sources can set it.
    ///
    /// - Parameter help: overrides the setting's help.
    package init<Root, Content>(
        _ declaration: SettingDeclaration<Root, Content>, help: String? = nil
    ) where Value == GivenSetting<Content>? {
        self.init(
            name: .customLong(declaration.key), help: ArgumentHelp(declaration, help),
            completion: declaration.syntax.completionKind, transform: { try GivenSetting(declaration, $0) })
    }

    /// A repeatable option.
    package init<Root, Element>(
        repeated declaration: SettingDeclaration<Root, [Element]>
    ) where Value == [GivenSetting<[Element]>] {
        self.init(
            wrappedValue: [], name: .customLong(declaration.key), parsing: .singleValue,
            help: ArgumentHelp(declaration), completion: declaration.syntax.completionKind,
            transform: { try GivenSetting(declaration, $0) })
    }
}

// A flag is named after its property, from which `GivenSettings` derives its key.

extension Flag where Value == Bool {
    /// The flag of a setting that is off by default.
    package init<Root>(_ declaration: SettingDeclaration<Root, Bool>) {
        self.init(wrappedValue: false, help: ArgumentHelp("\(declaration.help.text(for: .command))"))
    }
}

extension Flag where Value == Bool? {
    /// The on and off flags of a setting; neither may be given.
    package init<Root>(inverted declaration: SettingDeclaration<Root, Bool>) {
        let isOn = declaration.defaultTexts == [true.description]
        let standard = "--\(isOn ? "" : "no-")\(declaration.key)"
        self.init(
            inversion: .prefixedNo,
            help: ArgumentHelp("\(declaration.help.text(for: .command)) (default: \(standard))"))
    }
}

extension ArgumentHelp {
    /// Formats values and defaults as ArgumentParser does.
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
