internal import Files
internal import Foundation
internal import ONNX

/// The names of a model's classes, by class number.
public struct LabelMap: Sendable, Equatable {
    /// The names by number.
    public var names: [Int: String]

    /// Makes a map from names by number.
    public init(names: [Int: String]) {
        self.names = names
    }

    /// The name of a class; nil if it has none.
    public subscript(label: Int) -> String? { names[label] }

    /// Reads names from a file: a JSON object of names by number, a JSON list, or a text with one name per line.
    ///
    /// A list counts from 0. So do the lines of a text, where an empty line is a class without a name, unless each line begins
    /// with its number: `17 cat` or `17: cat`. A file whose lines don't look like names (a settings file, a program, a list of
    /// users) is an error, as is a name longer than 128 characters.
    ///
    /// - Throws: `ApusError` with code `option`.
    public init(contentsOfFile path: String) throws(ApusError) {
        func failure(_ cause: String) -> ApusError {
            ApusError(
                .option, doing: "read the labels \(path)", cause: cause,
                remedy: #"Use a JSON object ({"1": "person"}), a JSON list, or a text file with one name per line."#)
        }
        let bytes: [UInt8]?
        do {
            bytes = try BoundedFile.bytes(atPath: path, limit: 1_000_000)
        } catch {
            throw failure(error.cause)
        }
        guard let bytes else { throw failure("it is larger than the limit of 1000000 bytes") }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw failure("it is not UTF-8 text") }
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !trimmed.isEmpty else { throw failure("it is empty") }
        if trimmed.hasPrefix("{") || trimmed.hasPrefix("[") {
            guard let map = LabelMap(json: trimmed) else { throw failure("it is not a JSON object or list of names") }
            guard map.names.values.allSatisfy({ $0.count <= LabelMap.longestName }) else {
                throw failure("it has a name longer than \(LabelMap.longestName) characters")
            }
            self = map
        } else {
            let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            let named = LabelMap.named(lines.map { $0.trimmingCharacters(in: .whitespaces) })
            // The line is not quoted: a wrong file may contain secrets.
            if let wrong = named.first(where: { !LabelMap.isName($0.name) }) {
                throw failure("line \(wrong.line) is not the name of a class")
            }
            self.init(names: Dictionary(named.map { ($0.label, $0.name) }) { $1 })
        }
    }

    private static let longestName = 128

    /// Whether text can be a class name. Names contain letters, spaces, parentheses and inner slashes; the punctuation of
    /// settings, programs and markup is refused.
    private static func isName(_ text: String) -> Bool {
        text.count <= longestName && !text.hasPrefix("#") && !text.hasPrefix("/") && !text.hasPrefix("--")
            && !text.unicodeScalars.contains { scalar in
                scalar.properties.generalCategory == .control || ":;=<>{}[]|\\`\"$".unicodeScalars.contains(scalar)
            }
    }

    /// Reads `{"1": "person"}` or `["person"]`; nil for anything else.
    init?(json: String) {
        guard let names = ModelMetadata.names(json: json) else { return nil }
        self.init(names: names)
    }

    /// The lines of a text with their numbers: the leading number, if every line has one.
    private static func named(_ lines: [String]) -> [(line: Int, label: Int, name: String)] {
        let named = lines.enumerated().filter { !$0.element.isEmpty }
        let numbered = named.compactMap { index, line -> (line: Int, label: Int, name: String)? in
            guard let match = line.firstMatch(of: /^(\d{1,9})[\s:,=]+(\S.*)$/), let label = Int(match.1) else {
                return nil
            }
            return (index + 1, label, String(match.2))
        }
        return numbered.count == named.count ? numbered : named.map { ($0.offset + 1, $0.offset, $0.element) }
    }

    /// Classes of a model trained on COCO by category id: 0 to 90, of which 80 are used.
    package static let cocoClassCount = 91

    /// COCO's 80 categories by id, 1 to 90 with gaps.
    public static let coco = LabelMap(names: [
        1: "person", 2: "bicycle", 3: "car", 4: "motorcycle", 5: "airplane", 6: "bus", 7: "train", 8: "truck",
        9: "boat", 10: "traffic light", 11: "fire hydrant", 13: "stop sign", 14: "parking meter", 15: "bench",
        16: "bird", 17: "cat", 18: "dog", 19: "horse", 20: "sheep", 21: "cow", 22: "elephant", 23: "bear",
        24: "zebra", 25: "giraffe", 27: "backpack", 28: "umbrella", 31: "handbag", 32: "tie", 33: "suitcase",
        34: "frisbee", 35: "skis", 36: "snowboard", 37: "sports ball", 38: "kite", 39: "baseball bat",
        40: "baseball glove", 41: "skateboard", 42: "surfboard", 43: "tennis racket", 44: "bottle",
        46: "wine glass", 47: "cup", 48: "fork", 49: "knife", 50: "spoon", 51: "bowl", 52: "banana", 53: "apple",
        54: "sandwich", 55: "orange", 56: "broccoli", 57: "carrot", 58: "hot dog", 59: "pizza", 60: "donut",
        61: "cake", 62: "chair", 63: "couch", 64: "potted plant", 65: "bed", 67: "dining table", 70: "toilet",
        72: "tv", 73: "laptop", 74: "mouse", 75: "remote", 76: "keyboard", 77: "cell phone", 78: "microwave",
        79: "oven", 80: "toaster", 81: "sink", 82: "refrigerator", 84: "book", 85: "clock", 86: "vase",
        87: "scissors", 88: "teddy bear", 89: "hair drier", 90: "toothbrush",
    ])
}
