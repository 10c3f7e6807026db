package import ArgumentParser
package import Settings

/// The settings that were given on the command line.
package struct GivenSettings {
    /// By their keys.
    package private(set) var texts: [String: [String]] = [:]

    /// Collects the values of the options, flags and option groups of `options`, by reflection as ArgumentParser does.
    package init(_ options: some ParsableArguments) { add(options) }

    private mutating func add(_ options: any ParsableArguments) {
        for (label, value) in Mirror(reflecting: options).children {
            switch value {
            case let option as any SettingOption:
                for (key, text) in option.given { texts[key, default: []].append(text) }
            case let group as any Group: add(group.options)
            case let flag as Flag<Bool> where flag.wrappedValue: add(true, label)
            case let flag as Flag<Bool?>: if let isOn = flag.wrappedValue { add(isOn, label) }
            default: break
            }
        }
    }

    /// - Parameter label: the wrapper's label, such as "_noCache".
    private mutating func add(_ isOn: Bool, _ label: String?) {
        let key = (label ?? "").drop { $0 == "_" }.reduce(into: "") { key, character in
            key += character.isUppercase ? "-\(character.lowercased())" : "\(character)"
        }
        texts[key] = ["\(isOn)"]
    }

    /// The defaults, overridden by the given settings.
    package func resolved<Root: SettingsRoot>(_ declarations: [any DeclaredSetting<Root>]) throws -> Root {
        var root = Root.defaults
        for declaration in declarations {
            guard let texts = texts[declaration.key] else { continue }
            try declaration.assignment(of: texts).apply(&root)
        }
        return root
    }
}

/// Type-erased wrappers and values, for casts that can't name the generic type.
private protocol SettingOption {
    var given: [(key: String, text: String)] { get }
}

private protocol Group {
    var options: any ParsableArguments { get }
}

private protocol Given {
    var entry: (key: String, text: String) { get }
}

extension Option: SettingOption {
    fileprivate var given: [(key: String, text: String)] {
        switch wrappedValue {
        case let value as any Given: [value.entry]
        case let values as [any Given]: values.map(\.entry)
        default: []
        }
    }
}

extension OptionGroup: Group {
    fileprivate var options: any ParsableArguments { wrappedValue }
}

extension GivenSetting: Given {
    fileprivate var entry: (key: String, text: String) { (key, text) }
}
