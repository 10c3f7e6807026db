internal import Apus
internal import Foundation
internal import Remedies
internal import Settings

/// A model in a setting: `path`, `name=path`, or the name of a pulled model.
package struct ModelArgument: Sendable {
    private static let demo = "demo"

    fileprivate let name: String
    private let path: String

    init(_ source: ModelRegistry.Source) {
        name = source.name
        path = if case .file(let path) = source.model { path } else { ModelArgument.demo }
    }

    fileprivate init(_ text: String) throws(InvalidValue) {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        path = parts.last ?? text
        name = parts.count == 2 ? parts[0] : ModelArgument.name(of: path)
        guard name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._-]{0,99}/) != nil, !name.hasSuffix(".raw") else {
            throw InvalidValue(
                "\(name) is not a valid model name",
                "Choose another: \(setting: .model, "street=\(path)"). Names consist of letters, digits, dots, hyphens and "
                    + "underscores, and must not end in .raw.")
        }
    }

    fileprivate var text: String { name == ModelArgument.name(of: path) ? path : "\(name)=\(path)" }

    func source() throws(ApusError) -> ModelRegistry.Source {
        ModelRegistry.Source(
            name: name, model: path == ModelArgument.demo ? .demo : .file(try ModelStore.path(of: path)))
    }

    private static func name(of path: String) -> String {
        URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    }

    fileprivate static func checkNames(_ models: [ModelArgument]) throws(InvalidValue) {
        var names: Set<String> = []
        guard let second = models.first(where: { !names.insert($0.name).inserted }) else { return }
        throw InvalidValue(
            "two models are called \(second.name)", "Rename one: \(setting: .model, "other=\(second.path)")")
    }
}

extension SettingFormat where Value == [ModelArgument] {
    static var models: SettingFormat {
        list(
            of: SettingFormat<ModelArgument>(
                SettingSyntax(valueName: "model", completion: .file),
                parse: { text, _ throws(InvalidValue) in try ModelArgument(text) }, text: \.text),
            check: ModelArgument.checkNames)
    }
}

extension SettingFormat where Value == [String] {
    static var origins: SettingFormat {
        list(
            of: SettingFormat<String>(
                SettingSyntax(valueName: "origin"),
                parse: { text, _ throws(InvalidValue) in
                    guard text == "*" || text.wholeMatch(of: /https?:\/\/[^\/]+/) != nil else {
                        throw InvalidValue(
                            "\(text) is not a valid origin", "Use the form https://example.com, without a path.")
                    }
                    return text
                }, text: \.self))
    }
}

extension SettingFormat where Value == [AllowedHost] {
    static var hosts: SettingFormat {
        list(
            of: SettingFormat<AllowedHost>(
                SettingSyntax(valueName: "host"),
                parse: { text, _ throws(InvalidValue) in
                    guard let host = AllowedHost(text) else {
                        throw InvalidValue(
                            "\(text) is not a valid host",
                            "Use example.com, *.example.com, example.com:8443, or * for every public host.")
                    }
                    return host
                }, text: \.text))
    }
}

extension SettingFormat where Value == String {
    /// An IPv6 address may be in brackets, as in a URL.
    static var address: SettingFormat {
        SettingFormat(
            SettingSyntax(valueName: "address"),
            parse: { text, _ in
                text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : text
            }, text: \.self)
    }
}

extension SettingFormat where Value == Int {
    static var port: SettingFormat { count(0...65535) }
}
