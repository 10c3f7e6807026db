internal import Foundation

/// What Apus writes into a model's `metadata_props` and reads from it: the only definition of the keys and their formats.
///
/// | key | value |
/// |---|---|
/// | `family` | the model family that decodes the outputs, such as `detr` |
/// | `scoring` | how logits become scores: `softmax` or `sigmoid` |
/// | `shortest`, `longest` | pixels of the shorter side after resizing, and the maximum of the longer one |
/// | `mean`, `std` | three numbers each, for red, green and blue, after division by 255 |
/// | `labels` | class names as JSON: `{"1": "person"}`, or a list that counts from 0 |
/// | `source`, `source_sha256` | the checkpoint that the model was exported from |
/// | `apus_version` | the version of Apus that exported it |
package struct ModelMetadata: Sendable, Equatable {
    /// How the logits of a class become its score.
    package enum Scoring: String, Sendable, CaseIterable {
        /// Over all classes, the last of which is "no object".
        case softmax
        /// For each class on its own.
        case sigmoid
    }

    package struct Resize: Sendable, Equatable {
        package var shortest: Int
        package var longest: Int

        package init(shortest: Int, longest: Int) {
            self.shortest = shortest
            self.longest = longest
        }
    }

    /// Per channel, red first, after division by 255.
    package struct Normalization: Sendable, Equatable {
        package var mean: [Float]
        package var std: [Float]

        package init(mean: [Float], std: [Float]) {
            self.mean = mean
            self.std = std
        }

        /// For ImageNet's pixels, which torchvision's backbones were trained with.
        package static let imageNet = Normalization(mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225])

        /// Whether all numbers are usable.
        package var isValid: Bool {
            mean.count == 3 && std.count == 3 && (mean + std).allSatisfy(\.isFinite) && !std.contains(0)
        }
    }

    /// An entry with an invalid value.
    package struct Invalid: Error, Equatable {
        package var key: String
        package var cause: String
    }

    /// The maximum side of an image, in pixels.
    package static let maxSide = 10_000
    /// The key of the checkpoint's digest, whose value is known only when the file is written.
    package static let digestKey = "source_sha256"

    package var family: String?
    package var scoring: Scoring?
    package var resize: Resize?
    package var normalization: Normalization?
    package var labels: [Int: String]?
    package var source: String?
    package var version: String?

    package init() {}

    /// Reads entries; unknown ones are ignored.
    ///
    /// - Throws: `Invalid`. A missing entry is nil, but an invalid one never becomes a default.
    package init(_ entries: [String: String]) throws(Invalid) {
        family = entries["family"]
        source = entries["source"]
        version = entries["apus_version"]
        if let text = entries["scoring"] {
            guard let scoring = Scoring(rawValue: text) else {
                throw Invalid(key: "scoring", cause: "\"\(text)\" is neither softmax nor sigmoid")
            }
            self.scoring = scoring
        }
        if let (shortest, longest) = try ModelMetadata.pair("shortest", "longest", in: entries) {
            resize = Resize(
                shortest: try ModelMetadata.side("shortest", shortest),
                longest: try ModelMetadata.side("longest", longest))
        }
        if let (mean, std) = try ModelMetadata.pair("mean", "std", in: entries) {
            let normalization = Normalization(
                mean: try ModelMetadata.threeNumbers("mean", mean), std: try ModelMetadata.threeNumbers("std", std))
            guard !normalization.std.contains(0) else {
                throw Invalid(key: "std", cause: "a deviation of 0 divides by zero")
            }
            self.normalization = normalization
        }
        if let text = entries["labels"] {
            guard let names = ModelMetadata.names(json: text) else {
                throw Invalid(key: "labels", cause: "it is not a JSON object or list of names")
            }
            labels = names
        }
    }

    /// The entries to write, in fixed order.
    package var entries: [(key: String, value: String)] {
        func list(_ values: [Float]) -> String { values.map { "\($0)" }.joined(separator: ",") }
        var entries: [(key: String, value: String)] = []
        func add(_ key: String, _ value: String?) { if let value { entries.append((key, value)) } }
        add("family", family)
        add("scoring", scoring?.rawValue)
        add("shortest", resize.map { "\($0.shortest)" })
        add("longest", resize.map { "\($0.longest)" })
        add("mean", normalization.map { list($0.mean) })
        add("std", normalization.map { list($0.std) })
        add("source", source)
        add("apus_version", version)
        add("labels", labels.flatMap(ModelMetadata.json))
        return entries
    }

    /// Reads `{"1": "person"}` or `["person"]`; nil for anything else.
    package static func names(json: String) -> [Int: String]? {
        let data = Data(json.utf8)
        if let list = try? JSONDecoder().decode([String].self, from: data) {
            return Dictionary(uniqueKeysWithValues: list.enumerated().map { ($0, $1) })
        }
        guard let object = try? JSONDecoder().decode([String: String].self, from: data) else { return nil }
        var names: [Int: String] = [:]
        for (key, name) in object {
            guard let label = Int(key), label >= 0 else { return nil }
            names[label] = name
        }
        return names
    }

    private static func json(_ names: [Int: String]) -> String? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let data = try? encoder.encode(Dictionary(uniqueKeysWithValues: names.map { ("\($0)", $1) }))
        return data.map { String(decoding: $0, as: UTF8.self) }
    }

    private static func pair(
        _ first: String, _ second: String, in entries: [String: String]
    ) throws(Invalid) -> (String, String)? {
        switch (entries[first], entries[second]) {
        case (let one?, let other?): return (one, other)
        case (nil, nil): return nil
        case (_?, nil): throw Invalid(key: first, cause: "\(second) is missing")
        case (nil, _?): throw Invalid(key: second, cause: "\(first) is missing")
        }
    }

    private static func side(_ key: String, _ text: String) throws(Invalid) -> Int {
        guard let value = Int(text), (1...maxSide).contains(value) else {
            throw Invalid(key: key, cause: "\"\(text)\" is not a number of pixels from 1 to \(maxSide)")
        }
        return value
    }

    private static func threeNumbers(_ key: String, _ text: String) throws(Invalid) -> [Float] {
        let values = text.split(separator: ",").map { Float($0.trimmingCharacters(in: .whitespaces)) }
        guard values.count == 3, !values.contains(where: { $0?.isFinite != true }) else {
            throw Invalid(key: key, cause: "\"\(text)\" is not three numbers separated by commas")
        }
        return values.compactMap { $0 }
    }
}
