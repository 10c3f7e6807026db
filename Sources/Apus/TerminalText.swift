/// Text that is safe to show in a terminal or a log. Names, labels and metadata come from untrusted files: control characters
/// could move the cursor or set the window's title, and direction marks could display a name backwards.
package enum TerminalText {
    /// Replaces characters that a terminal would act on with their code, as in `\u{1B}`. Tabs stay, and so do line ends, unless
    /// the text is part of a line.
    package static func escaped(_ text: String, keepingLines: Bool = true) -> String {
        replacing(text) { scalar in
            switch scalar {
            case "\t": false
            case "\n": !keepingLines
            default: isActive(scalar)
            }
        } by: {
            "\\u{\(String($0.value, radix: 16, uppercase: true))}"
        }
    }

    /// Escapes such characters in JSON with JSON's own escapes.
    package static func json(_ json: String) -> String {
        replacing(json) {
            $0.value > 0x7E && isActive($0)
        } by: { scalar in
            scalar.utf16.map { unit in
                let digits = String(unit, radix: 16)
                return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }.joined()
        }
    }

    private static func isActive(_ scalar: Unicode.Scalar) -> Bool {
        if (0x20...0x7E).contains(scalar.value) { return false }
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: return true
        // Direction marks, tags and the like. Joiners are parts of words and emoji, soft hyphens of words.
        case .format: return ![0xAD, 0x200C, 0x200D].contains(scalar.value)
        default: return false
        }
    }

    private static func replacing(
        _ text: String, where matches: (Unicode.Scalar) -> Bool, by replacement: (Unicode.Scalar) -> String
    ) -> String {
        guard text.unicodeScalars.contains(where: matches) else { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if matches(scalar) {
                result.append(contentsOf: replacement(scalar).unicodeScalars)
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }
}
