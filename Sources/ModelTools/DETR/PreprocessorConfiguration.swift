internal import Foundation
internal import ONNX

/// How pictures are to be prepared for a network: the published DETR's rule, unless somebody says otherwise.
package struct PreprocessorConfiguration: Sendable {
    package var shortest = 800
    package var longest = 1333
    package var mean: [Float] = [0.485, 0.456, 0.406]
    package var std: [Float] = [0.229, 0.224, 0.225]
    /// Read from `preprocessor_config.json`.
    package private(set) var isFromFile = false

    private struct Content: Decodable {
        /// `{"shortest_edge": 800, "longest_edge": 1333}`, or 800 with `max_size` beside it, as older files have it.
        enum Size: Decodable {
            case edges(shortest: Int?, longest: Int?)
            case shortest(Int)

            private enum CodingKeys: String, CodingKey { case shortestEdge, longestEdge }

            init(from decoder: any Decoder) throws {
                if let number = try? decoder.singleValueContainer().decode(Int.self) {
                    self = .shortest(number)
                } else {
                    let container = try decoder.container(keyedBy: CodingKeys.self)
                    self = .edges(
                        shortest: try container.decodeIfPresent(Int.self, forKey: .shortestEdge),
                        longest: try container.decodeIfPresent(Int.self, forKey: .longestEdge))
                }
            }
        }

        var size: Size?
        var maxSize: Int?
        var imageMean: [Float]?
        var imageStd: [Float]?
    }

    /// The published models' rule.
    package init() {}

    /// What Hugging Face's `preprocessor_config.json` beside the checkpoint says, if there is one.
    package init(besideCheckpoint path: String) throws(ModelToolsError) {
        guard let json = try SidecarFile.read("preprocessor_config.json", beside: path) else { return }
        guard let content: Content = try? SidecarFile.decoded(json) else {
            throw ModelToolsError(
                .malformed, "the preprocessor_config.json beside it cannot be read",
                remedy: "Correct it, or move it away.")
        }
        switch (content.size, content.maxSize) {
        case (.edges(let short?, let long?)?, _), (.shortest(let short)?, let long?):
            (shortest, longest) = (short, long)
        default: break
        }
        if let mean = content.imageMean, let std = content.imageStd { (self.mean, self.std) = (mean, std) }
        isFromFile = true
        guard shortest > 0, longest >= shortest, longest <= 10_000, mean.count == 3, std.count == 3, !std.contains(0),
            (mean + std).allSatisfy(\.isFinite)
        else {
            throw ModelToolsError(
                .malformed, "the preprocessor_config.json beside it has sizes or means that cannot be",
                remedy: "Correct it, or move it away.")
        }
    }
}

/// Small files that people keep beside a checkpoint.
enum SidecarFile {
    private static let mostBytes = 10_000_000

    /// Nil if there is none of that name.
    static func read(_ name: String, beside path: String) throws(ModelToolsError) -> [UInt8]? {
        let file = URL(fileURLWithPath: path).deletingLastPathComponent().appendingPathComponent(name)
        guard FileManager.default.fileExists(atPath: file.path) else { return nil }
        let bytes: Bytes
        do {
            bytes = try Bytes(mapping: file.path)
        } catch {
            throw ModelToolsError(
                .file, "the \(name) beside it: \(error.cause)", remedy: "Correct it, or move it away.")
        }
        guard bytes.count <= mostBytes else {
            throw ModelToolsError(
                .malformed, "the \(name) beside it has \(bytes.count) bytes; \(mostBytes) is the limit",
                remedy: "Move it away.")
        }
        return bytes.array
    }

    /// Their JSON, whose snake_case keys are camelCase here.
    static func decoded<Content: Decodable>(_ json: [UInt8]) throws -> Content {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Content.self, from: Data(json))
    }
}
