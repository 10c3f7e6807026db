package import Apus
package import Remedies

/// The destination of settings.
package protocol SettingsRoot: Sendable {
    /// All values when nothing is set: the only place where a default is defined.
    static var defaults: Self { get }
}

/// A setting of `Root`, whatever its type.
package protocol DeclaredSetting<Root>: Sendable {
    associatedtype Root: SettingsRoot

    var setting: Setting { get }
    var help: Note { get }
    /// An additional paragraph.
    var details: Note? { get }
    /// What applies by default, if that is not a value.
    var fallback: Note? { get }
    var syntax: SettingSyntax { get }

    /// The value in `root`; nil if there is none, or if text can't express it.
    func texts(of root: Root) -> [String]?
    func assignment(of texts: [String]) throws(InvalidValue) -> SettingAssignment<Root>
}

extension DeclaredSetting {
    package var key: String { setting.key }

    package var defaultTexts: [String]? { texts(of: .defaults) }
}

/// A valid value on its way to its destination.
package struct SettingAssignment<Root>: Sendable {
    package typealias Failure = ApusError

    package let apply: @Sendable (inout Root) throws(Failure) -> Void
}

/// Everything about a setting: its names, type, help and destination, from which its default is read.
package struct SettingDeclaration<Root: SettingsRoot, Value: Sendable>: DeclaredSetting {
    package let setting: Setting
    package let help: Note
    package private(set) var details: Note?
    package private(set) var fallback: Note?
    private let format: SettingFormat<Value>
    private let get: @Sendable (Root) -> Value?
    private let set: @Sendable (inout Root, Value) throws(ApusError) -> Void

    package init(
        _ setting: Setting, _ format: SettingFormat<Value>, help: Note,
        get: @escaping @Sendable (Root) -> Value?,
        set: @escaping @Sendable (inout Root, Value) throws(ApusError) -> Void
    ) {
        self.setting = setting
        self.format = format
        self.help = help
        self.get = get
        self.set = set
    }

    package init(
        _ setting: Setting, _ format: SettingFormat<Value>, help: Note,
        destination: any WritableKeyPath<Root, Value> & Sendable
    ) {
        self.init(
            setting, format, help: help, get: { $0[keyPath: destination] }, set: { $0[keyPath: destination] = $1 })
    }

    package init(
        _ setting: Setting, _ format: SettingFormat<Value>, help: Note,
        destination: any WritableKeyPath<Root, Value?> & Sendable
    ) {
        self.init(
            setting, format, help: help, get: { $0[keyPath: destination] }, set: { $0[keyPath: destination] = $1 })
    }

    package func details(_ text: Note) -> Self {
        var declaration = self
        declaration.details = text
        return declaration
    }

    package func fallback(_ text: Note) -> Self {
        var declaration = self
        declaration.fallback = text
        return declaration
    }

    package var syntax: SettingSyntax { format.syntax }

    package func value(of texts: [String]) throws(InvalidValue) -> Value { try format.parse(texts, key) }

    package func texts(of root: Root) -> [String]? {
        let texts = get(root).map(format.texts) ?? []
        return texts.isEmpty ? nil : texts
    }

    package func assignment(of texts: [String]) throws(InvalidValue) -> SettingAssignment<Root> {
        let value = try value(of: texts)
        return SettingAssignment { [set] root throws(ApusError) in try set(&root, value) }
    }
}

extension DeclaredSetting {
    /// The same setting in a type that contains its root.
    package func nested<Outer: SettingsRoot>(
        in path: any WritableKeyPath<Outer, Root> & Sendable
    ) -> any DeclaredSetting<Outer> { NestedSetting(base: self, path: path) }
}

private struct NestedSetting<Outer: SettingsRoot, Base: DeclaredSetting>: DeclaredSetting {
    let base: Base
    let path: any WritableKeyPath<Outer, Base.Root> & Sendable

    var setting: Setting { base.setting }
    var help: Note { base.help }
    var details: Note? { base.details }
    var fallback: Note? { base.fallback }
    var syntax: SettingSyntax { base.syntax }

    func texts(of root: Outer) -> [String]? { base.texts(of: root[keyPath: path]) }

    func assignment(of texts: [String]) throws(InvalidValue) -> SettingAssignment<Outer> {
        let assignment = try base.assignment(of: texts)
        return SettingAssignment { [path] root throws(ApusError) in try assignment.apply(&root[keyPath: path]) }
    }
}
