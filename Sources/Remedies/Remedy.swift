/// What to do about an error, written once and rendered by each front end in its own terms.
///
/// Written as a string with interpolated settings: `"Use a smaller image, or raise \(setting: .maxPixels)."` refers users of the
/// command to `--max-pixels`, clients of the server to `max-pixels`, and Swift code to `Image.Limits.pixels`.
package struct Remedy: Sendable, Hashable, ExpressibleByStringInterpolation, CustomStringConvertible, Encodable {
    /// The reader of the remedy.
    package enum FrontEnd: Sendable {
        case command, server, library
    }

    fileprivate enum Part: Sendable, Hashable {
        case text(String)
        case setting(Setting, value: String?)
        case command(String, [Option])
    }

    fileprivate struct Option: Sendable, Hashable {
        var setting: Setting
        var value: String
    }

    private var parts: [Part]

    package init(stringLiteral text: String) { parts = [.text(text)] }

    /// Text without settings.
    package init(_ text: String) { parts = [.text(text)] }

    package init(stringInterpolation: StringInterpolation) { parts = stringInterpolation.parts }

    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var parts: [Part] = []

        package init(literalCapacity: Int, interpolationCount: Int) {
            parts.reserveCapacity(2 * interpolationCount + 1)
        }

        package mutating func appendLiteral(_ literal: String) {
            if !literal.isEmpty { parts.append(.text(literal)) }
        }

        package mutating func appendInterpolation(_ value: some CustomStringConvertible) {
            parts.append(.text(value.description))
        }

        package mutating func appendInterpolation(_ remedy: Remedy) { parts += remedy.parts }

        /// A command line, which is the same in every front end.
        package mutating func appendInterpolation(command name: String, _ options: [(Setting, String)]) {
            parts.append(.command(name, options.map { Option(setting: $0.0, value: $0.1) }))
        }

        /// A setting, with the value to set.
        package mutating func appendInterpolation(
            setting: Setting, _ value: (some CustomStringConvertible)? = String?.none
        ) {
            parts.append(.setting(setting, value: value?.description))
        }
    }

    package static func + (one: Remedy, other: Remedy) -> Remedy {
        var both = one
        both.parts += other.parts
        return both
    }

    /// The text in terms of the library.
    package var description: String { text(for: .library) }

    /// The text in terms of the command, the only front end that writes remedies as JSON.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text(for: .command))
    }

    package func text(for frontEnd: FrontEnd) -> String {
        parts.map { part in
            switch (part, frontEnd) {
            case (.text(let text), _): text
            case (.command(let name, let options), _):
                (["apus \(name)"] + options.map { Remedy.text($0.setting, $0.value, for: .command) })
                    .joined(separator: " ")
            case (.setting(let setting, let value), _): Remedy.text(setting, value, for: frontEnd)
            }
        }.joined()
    }

    private static func text(_ setting: Setting, _ value: String?, for frontEnd: FrontEnd) -> String {
        let name = setting.name(for: frontEnd)
        guard let value else { return name }
        let between =
            switch frontEnd {
            case .command: " "
            case .server: "="
            case .library: " = "
            }
        return name + between + value
    }
}

/// Other text that refers to settings, such as an assumption made because one was missing.
package typealias Note = Remedy
