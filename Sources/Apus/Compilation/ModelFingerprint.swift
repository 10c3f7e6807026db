internal import Engine
internal import Foundation
internal import Hashing
internal import ONNX

/// Identifies a model: the SHA-256 of its file and of the files that hold its weights.
struct ModelFingerprint: Sendable {
    let digest: String
    private let name: String
    /// The state of the model's files when they were hashed; empty for a model in memory.
    private let files: [FileStamp]

    init(_ model: Model) throws(ApusError) {
        let hash = SHA256()
        var files: [FileStamp] = []
        switch model.source {
        case .bytes(let bytes): bytes.withUnsafeBytes { hash.update($0) }
        case .embedded(_, let bytes): hash.update(bytes())
        case .file(let path):
            files.append(FileStamp(path))
            do throws(ModelFileError) {
                let content = try Bytes(mapping: path)
                content.withUnsafeBytes { hash.update($0) }
                let folder = ExternalFolder(ofModel: path)
                for name in try ModelStructure(content).externalFiles {
                    files.append(FileStamp(Model.path(of: name, besideModel: path)))
                    let file = try folder.path(of: name)
                    if let digest = SHA256.digest(ofFile: file) {
                        Array("\(name) \(digest)".utf8).withUnsafeBytes { hash.update($0) }
                    }
                }
            } catch {
                throw ApusError(error, doing: "read the model \(path)")
            }
        }
        digest = hash.finish()
        name = model.name
        self.files = files
    }

    /// - Throws: if a file of the model was replaced since the digest was computed, which makes the digest invalid.
    func requireUnchanged() throws(ApusError) {
        for file in files where FileStamp(file.path) != file {
            throw ApusError(
                .model, doing: "load the model \(name)", cause: "\(file.path) was replaced while it was in use",
                remedy: "Load the model again. Compiled shapes keep working, but no new ones can be compiled.")
        }
    }
}

extension Model {
    /// The files that a detector depends on: the model's file, its weights, and where `config.json` and
    /// `preprocessor_config.json` are or may appear; none for a model in memory.
    package var files: [String] {
        guard case .file(let path) = source else { return [] }
        let structure = try? ModelStructure(Bytes(mapping: path))
        return [path] + (structure?.externalFiles ?? []).map { Model.path(of: $0, besideModel: path) }
            + ModelDescription.Companions.candidates(nextTo: path)
    }

    fileprivate static func path(of name: String, besideModel path: String) -> String {
        URL(fileURLWithPath: path).deletingLastPathComponent().path + "/" + name
    }
}

/// Changes when a file is replaced or written to.
package struct FileStamp: Equatable, Sendable {
    package let path: String
    /// Device, inode, size, and the time of the last change in nanoseconds; nil if the file does not exist.
    private let facts: [Int64]?

    package init(_ path: String) {
        self.path = path
        var status = stat()
        facts =
            stat(path, &status) == 0
            ? [
                Int64(bitPattern: UInt64(status.st_dev)), Int64(bitPattern: UInt64(status.st_ino)),
                Int64(status.st_size), Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec),
            ] : nil
    }
}
