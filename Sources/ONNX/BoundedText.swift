/// Text for people in which no value from a file is longer than `longest` characters: names and shapes in a file can be of any
/// length.
package struct BoundedText: ExpressibleByStringInterpolation, CustomStringConvertible, Sendable, Equatable {
    package static let longest = 300

    package let description: String

    /// Text that is already composed.
    package init(_ text: String) { description = BoundedText.shortened(text, to: 2000) }

    package init(stringLiteral value: String) { description = value }

    package init(stringInterpolation: StringInterpolation) { description = stringInterpolation.text }

    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        package init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity) }

        package mutating func appendLiteral(_ literal: String) { text += literal }

        package mutating func appendInterpolation(_ value: some Any) { text += BoundedText.shortened("\(value)") }

        package mutating func appendInterpolation(_ text: BoundedText) { self.text += text.description }

        /// A shape, shown by its first dimensions.
        package mutating func appendInterpolation(_ shape: [some FixedWidthInteger]) {
            text += BoundedText.shortened(shape)
        }
    }

    package static func + (one: BoundedText, other: BoundedText) -> BoundedText {
        BoundedText(stringLiteral: one.description + other.description)
    }

    /// The beginning and the end of `text`, if it is longer than `limit` characters.
    package static func shortened(_ text: String, to limit: Int = longest) -> String {
        // Scalars rather than characters, which can be arbitrarily long themselves.
        let scalars = text.unicodeScalars
        guard text.utf8.count > limit, scalars.count > limit else { return text }
        let end = limit / 4
        return String(scalars.prefix(limit - end)) + "…" + String(scalars.suffix(end))
    }

    private static func shortened(_ shape: [some FixedWidthInteger]) -> String {
        guard shape.count > 16 else { return "\(shape)" }
        return "[\(shape.prefix(8).map { "\($0)" }.joined(separator: ", ")), … (\(shape.count) dimensions)]"
    }
}
