/// The part of `config.json` that defines what a model's outputs mean.
package struct ModelConfig: Sendable, Equatable {
    package var path: String
    /// Such as `detr` or `rt_detr_v2`.
    package var modelType: String?
    /// Class names; nil if there are none, or only placeholders such as `LABEL_0`.
    package var labels: [Int: String]?

    private static let fileName = "config.json"

    /// The path of the file in a folder, if it exists.
    package static func path(in folder: String) -> String { ConfigFile.path(of: fileName, in: folder) }

    /// The file in the first of `folders` that has one; nil if none has.
    package init?(in folders: [String]) throws(ConfigError) {
        guard let (content, path) = try ConfigFile.read(ModelConfig.fileName, in: folders, as: Content.self) else {
            return nil
        }
        self.init(content, path: path)
    }

    package init(json: [UInt8], path: String = "config.json") throws(ConfigError) {
        self.init(try ConfigFile.decode(json, path: path), path: path)
    }

    private init(_ content: Content, path: String) {
        self.path = path
        modelType = content.modelType
        labels = ModelConfig.labels(content.id2label)
    }

    /// Names that aren't placeholders, by number.
    package static func labels(_ names: [String: String]?) -> [Int: String]? {
        let named = (names ?? [:]).filter { $0.value != "LABEL_\($0.key)" && $0.value != "N/A" }
        let pairs = named.compactMap { key, value in Int(key).map { ($0, value) } }
        return pairs.isEmpty ? nil : Dictionary(pairs) { $1 }
    }

    /// Reads a configuration with fields of the caller's own.
    package static func decode<Content: Decodable>(
        _: Content.Type = Content.self, in folders: [String]
    ) throws(ConfigError) -> (content: Content, path: String)? {
        try ConfigFile.read(ModelConfig.fileName, in: folders)
    }

    package static func decode<Content: Decodable>(
        _: Content.Type = Content.self, json: [UInt8]
    ) throws(ConfigError) -> Content {
        try ConfigFile.decode(json, path: "config.json")
    }

    private struct Content: Decodable {
        var modelType: String?
        var id2label: [String: String]?
    }
}
