internal import Foundation

/// The names of a model's classes, by the number that the model gives them.
public struct LabelMap: Sendable, Equatable {
    /// The names by number.
    public var names: [Int: String]

    /// Makes a map of names by number.
    public init(names: [Int: String]) {
        self.names = names
    }

    /// The name of a class; nil if it has none.
    public subscript(label: Int) -> String? { names[label] }

    /// Reads names from a file: a JSON object of names by number, a JSON list, or a text with a name a line.
    ///
    /// A list counts from 0. So do the lines of a text, where an empty line is a class without a name, unless each line
    /// begins with its number: `17 cat` or `17: cat`.
    public init(contentsOfFile path: String) throws(ApusError) {
        func failure(_ cause: String) -> ApusError {
            ApusError(
                .option, doing: "read the labels \(path)", cause: cause,
                remedy: #"Give a JSON object ({"1": "person"}), a JSON list, or a text file with a name a line."#)
        }
        let bytes: [UInt8]?
        do {
            bytes = try BoundedFile.bytes(atPath: path, limit: 1_000_000)
        } catch {
            throw failure(error.cause)
        }
        guard let bytes else { throw failure("it has more than 1000000 bytes, which is the limit") }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw failure("it is not UTF-8 text") }
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !trimmed.isEmpty else { throw failure("it is empty") }
        if trimmed.hasPrefix("{") || trimmed.hasPrefix("[") {
            guard let map = LabelMap(json: trimmed) else { throw failure("it is not JSON of names by number") }
            self = map
        } else {
            let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            self.init(lines: lines.map { $0.trimmingCharacters(in: .whitespaces) })
        }
    }

    /// Reads `{"1": "person"}` or `["person"]`; nil for anything else.
    init?(json: String) {
        let data = Data(json.utf8)
        if let list = try? JSONDecoder().decode([String].self, from: data) {
            self.init(names: Dictionary(uniqueKeysWithValues: list.enumerated().map { ($0, $1) }))
            return
        }
        guard let object = try? JSONDecoder().decode([String: String].self, from: data) else { return nil }
        var names: [Int: String] = [:]
        for (key, name) in object {
            guard let label = Int(key), label >= 0 else { return nil }
            names[label] = name
        }
        self.init(names: names)
    }

    private init(lines: [String]) {
        let numbered = lines.compactMap { line -> (Int, String)? in
            guard let match = line.firstMatch(of: /^\s*(\d{1,9})[\s:,=]+(\S.*?)\s*$/), let label = Int(match.1) else {
                return nil
            }
            return (label, String(match.2))
        }
        if numbered.count == lines.count(where: { !$0.isEmpty }) {
            self.init(names: Dictionary(numbered) { $1 })
        } else {
            let named = lines.enumerated().filter { !$0.element.isEmpty }
            self.init(names: Dictionary(uniqueKeysWithValues: named.map { ($0.offset, $0.element) }))
        }
    }

    /// Classes of a model trained on COCO by category id: 0 to 90, of which 80 are used.
    package static let cocoClassCount = 91

    /// COCO's 80 categories by their ids, 1 to 90 with gaps.
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
