internal import Remedies

extension SettingFormat where Value == String {
    package static var file: SettingFormat { text("file", completion: .file) }

    package static var folder: SettingFormat { text("folder", completion: .folder) }

    private static func text(_ valueName: String, completion: SettingSyntax.Completion) -> SettingFormat {
        SettingFormat(
            SettingSyntax(valueName: valueName, completion: completion), parse: { text, _ in text }, text: \.self)
    }
}

extension SettingFormat where Value == Bool {
    package static var flag: SettingFormat {
        let words = [true, false].map(\.description)
        return SettingFormat(
            SettingSyntax(valueName: "flag", choices: words, completion: .words(words)),
            parse: { text, _ throws(InvalidValue) in
                guard let value = Bool(text) else {
                    throw InvalidValue("it must be \(words.alternatives)", "Set it to one of them.")
                }
                return value
            }, text: \.description)
    }
}

extension SettingFormat where Value == Int {
    package static func count(_ range: ClosedRange<Int>) -> SettingFormat {
        SettingFormat(
            SettingSyntax(valueName: "n"),
            parse: { text, _ throws(InvalidValue) in try integer(text, in: range) }, text: \.description)
    }

    /// Bytes, such as "20MB", "64KiB" or "1000".
    package static func bytes(max: Int = 1 << 40) -> SettingFormat {
        SettingFormat(
            SettingSyntax(valueName: "bytes"),
            parse: { text, _ throws(InvalidValue) in
                guard let value = ByteUnit.bytes(text), value > 0 else {
                    throw InvalidValue("it is not a valid size", "Write it as 20MB, 64KiB or 1000.")
                }
                guard value <= max else {
                    throw InvalidValue("it must be at most \(ByteUnit.text(max))", "Choose a smaller value.")
                }
                return value
            }, text: ByteUnit.text)
    }
}

extension SettingFormat where Value == Float {
    package static var fraction: SettingFormat {
        SettingFormat(
            SettingSyntax(valueName: "score"),
            parse: { text, _ throws(InvalidValue) in
                guard let value = Float(text), (0...1).contains(value) else {
                    throw InvalidValue("it must be a number from 0 to 1", "Choose a value in this range.")
                }
                return value
            }, text: \.description)
    }
}

extension SettingFormat where Value == Duration {
    /// Seconds, such as "30", "0.5" or "500ms".
    package static var seconds: SettingFormat {
        SettingFormat(
            SettingSyntax(valueName: "seconds"),
            parse: { text, _ throws(InvalidValue) in
                guard let match = text.wholeMatch(of: /(\d+(?:\.\d+)?)\s*(ms|s)?/), let number = Double(match.1),
                    case let seconds = match.2 == "ms" ? number / 1000 : number, (0.001...86_400).contains(seconds)
                else {
                    throw InvalidValue("it must be a time from 1 ms to 24 h", "Write it as 30 (seconds), 0.5 or 500ms.")
                }
                return .milliseconds(Int64(seconds * 1000))
            },
            text: { duration in
                let milliseconds = duration.wholeMilliseconds
                return milliseconds % 1000 == 0 ? "\(milliseconds / 1000)" : "\(milliseconds)ms"
            })
    }

    package static func milliseconds(_ range: ClosedRange<Int>) -> SettingFormat {
        SettingFormat(
            SettingSyntax(valueName: "ms"),
            parse: { text, _ throws(InvalidValue) in .milliseconds(try integer(text, in: range)) },
            text: { "\($0.wholeMilliseconds)" })
    }
}

extension SettingFormat where Value == Duration? {
    /// Nil means "off".
    package static var secondsOrOff: SettingFormat {
        let (seconds, off) = (SettingFormat<Duration>.seconds, "off")
        return SettingFormat(
            SettingSyntax(valueName: "\(seconds.syntax.valueName)|\(off)", completion: .words([off])),
            parse: { text, key throws(InvalidValue) in text == off ? nil : try seconds.parse([text], key) },
            text: { $0.flatMap { seconds.texts($0).first } ?? off })
    }
}

private func integer(_ text: String, in range: ClosedRange<Int>) throws(InvalidValue) -> Int {
    guard let value = Int(text), range.contains(value) else {
        throw InvalidValue(
            "it must be an integer from \(range.lowerBound) to \(range.upperBound)", "Choose a value in this range.")
    }
    return value
}

private enum ByteUnit {
    /// Largest first.
    private static let factors = [
        ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1000), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
    ]

    static func bytes(_ text: String) -> Int? {
        guard let match = text.wholeMatch(of: /(\d{1,12})\s*([kKmMgG]?i?)[bB]?/), let number = Int(match.1) else {
            return nil
        }
        let unit = match.2.lowercased()
        guard let factor = unit.isEmpty ? 1 : factors.first(where: { $0.0.lowercased() == "\(unit)b" })?.1 else {
            return nil
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }

    static func text(_ bytes: Int) -> String {
        guard let (name, factor) = factors.first(where: { bytes.isMultiple(of: $0.1) }) else { return "\(bytes)" }
        return "\(bytes / factor)\(name)"
    }
}

extension Duration {
    fileprivate var wholeMilliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
