/// `preprocessor_config.json`: how images are prepared for a model.
///
/// Fields as `transformers` writes them (`image_processing_*.py`); missing ones are nil.
package struct PreprocessorConfig: Sendable, Equatable {
    package enum Size: Sendable, Equatable {
        /// The shorter side, and the maximum of the longer one.
        case edges(shortest: Int, longest: Int)
        case exact(width: Int, height: Int)
    }

    package var path: String
    package var size: Size?
    /// The mean subtracted from each channel of an image, and the deviation that it is then divided by: zeros and ones if
    /// `do_normalize` is false, nil if the file doesn't state it.
    package var normalization: (mean: [Float], std: [Float])? { self.values.map { ($0.mean, $0.std) } }

    private var values: Values?
    private struct Values: Sendable, Equatable {
        var mean: [Float]
        var std: [Float]
    }

    private static let fileName = "preprocessor_config.json"

    /// The path of the file in a folder, if it exists.
    package static func path(in folder: String) -> String { ConfigFile.path(of: fileName, in: folder) }

    /// The file in the first of `folders` that has one; nil if none has.
    package init?(in folders: [String]) throws(ConfigError) {
        guard let (content, path) = try ConfigFile.read(PreprocessorConfig.fileName, in: folders, as: Content.self)
        else { return nil }
        try self.init(content, path: path)
    }

    package init(json: [UInt8], path: String = "preprocessor_config.json") throws(ConfigError) {
        try self.init(ConfigFile.decode(json, path: path), path: path)
    }

    private init(_ content: Content, path: String) throws(ConfigError) {
        self.path = path
        switch (content.size, content.maxSize) {
        case (.exact(let width, let height)?, _): size = .exact(width: width, height: height)
        case (.edges(let shortest?, let longest?)?, _), (.edges(let shortest?, nil)?, let longest?),
            (.shortest(let shortest)?, let longest?):
            size = .edges(shortest: shortest, longest: longest)
        default: size = nil
        }
        values = try PreprocessorConfig.values(content, path)
        let sides: [Int] =
            switch size {
            case .edges(let shortest, let longest)?: [shortest, longest]
            case .exact(let width, let height)?: [width, height]
            case nil: []
            }
        if case .edges(let shortest, let longest)? = size, longest < shortest {
            throw ConfigError(path: path, cause: "longest_edge \(longest) is less than shortest_edge \(shortest)")
        }
        guard sides.allSatisfy({ (1...10_000).contains($0) }) else {
            throw ConfigError(path: path, cause: "size must be from 1 to 10000 pixels")
        }
    }

    private static func values(_ content: Content, _ path: String) throws(ConfigError) -> Values? {
        guard content.doRescale != false else {
            throw ConfigError(path: path, cause: "do_rescale false is not supported")
        }
        guard content.doNormalize != false else { return Values(mean: [0, 0, 0], std: [1, 1, 1]) }
        guard content.imageMean != nil || content.imageStd != nil else { return nil }
        guard let mean = content.imageMean, let std = content.imageStd else {
            throw ConfigError(path: path, cause: "image_mean and image_std must be given together")
        }
        guard mean.count == 3, std.count == 3, !std.contains(0), (mean + std).allSatisfy(\.isFinite) else {
            throw ConfigError(path: path, cause: "image_mean and image_std must be three numbers each, and no std 0")
        }
        return Values(mean: mean, std: std)
    }

    private struct Content: Decodable {
        /// `{"shortest_edge": 800, "longest_edge": 1333}`, `{"height": 640, "width": 640}`, or 800 with `max_size` next to it, as
        /// in older files.
        enum Size: Decodable {
            case edges(shortest: Int?, longest: Int?)
            case exact(width: Int, height: Int)
            case shortest(Int)

            private enum CodingKeys: String, CodingKey { case shortestEdge, longestEdge, width, height }

            init(from decoder: any Decoder) throws {
                if let number = try? decoder.singleValueContainer().decode(Int.self) {
                    self = .shortest(number)
                    return
                }
                let container = try decoder.container(keyedBy: CodingKeys.self)
                if let width = try container.decodeIfPresent(Int.self, forKey: .width),
                    let height = try container.decodeIfPresent(Int.self, forKey: .height)
                {
                    self = .exact(width: width, height: height)
                } else {
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
        var doNormalize: Bool?
        var doRescale: Bool?
    }
}
