internal import Files
internal import Foundation

/// A JSON file that Hugging Face's libraries write next to a model's weights.
enum ConfigFile {
    private static let maxBytes = 10_000_000

    /// Decodes the file `name` in the first of `folders` that has it; nil if none has. Keys in snake_case are camelCase here.
    static func read<Content: Decodable>(
        _ name: String, in folders: [String], as _: Content.Type = Content.self
    ) throws(ConfigError) -> (content: Content, path: String)? {
        for folder in folders {
            let path = ConfigFile.path(of: name, in: folder)
            guard FileManager.default.fileExists(atPath: path) else { continue }
            let bytes: [UInt8]?
            do {
                bytes = try BoundedFile.bytes(atPath: path, limit: maxBytes)
            } catch {
                throw ConfigError(path: path, cause: error.cause)
            }
            guard let bytes else { throw ConfigError(path: path, cause: "it exceeds the limit of \(maxBytes) bytes") }
            return (try decode(bytes, path: path), path)
        }
        return nil
    }

    static func path(of name: String, in folder: String) -> String { folder.isEmpty ? name : folder + "/" + name }

    static func decode<Content: Decodable>(_ json: [UInt8], path: String) throws(ConfigError) -> Content {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            return try decoder.decode(Content.self, from: Data(json))
        } catch {
            throw ConfigError(path: path, cause: "it is not valid JSON of the expected form")
        }
    }
}

/// Why a configuration file cannot be used.
package struct ConfigError: Error, Sendable, Equatable {
    package var path: String
    package var cause: String
    package var remedy: String { "Correct the file, or move it away." }

    package init(path: String, cause: String) {
        self.path = path
        self.cause = cause
    }
}

/// Where to search for the configuration of a model or a checkpoint.
package enum ConfigFolders {
    /// The file's own folder.
    package static func beside(_ path: String) -> [String] { [folder(of: path)] }

    /// The file's own folder, then its parent: repositories keep `onnx/model.onnx` below `config.json`.
    package static func besideOrAbove(_ path: String) -> [String] {
        let own = folder(of: path)
        return [own, own + "/.."]
    }

    private static func folder(of path: String) -> String {
        URL(fileURLWithPath: path).deletingLastPathComponent().path
    }
}
