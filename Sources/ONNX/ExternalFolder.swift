internal import Files
internal import Foundation
internal import Remedies

/// Where a model's external weights may be: in the model's folder or below it.
///
/// Links are followed, and their target counts. The model's folder is that of its path as given; if the model itself is a link,
/// its target's folder is allowed as well, as in Hugging Face's hub cache, where `snapshots/…/model.onnx` and `model.onnx_data`
/// both link to `blobs/`. No other folder is allowed, so that a model cannot have its user's other files read as weights.
package struct ExternalFolder: Sendable {
    private let folder: String
    /// Real paths with a trailing slash.
    private let roots: [String]
    private let model: FileIdentity?

    /// For a model's file.
    package init(ofModel path: String) {
        folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        model = FileIdentity(path)
        let target = ExternalFolder.real(path).map { URL(fileURLWithPath: $0).deletingLastPathComponent().path }
        roots = [ExternalFolder.real(folder), target].compactMap { $0 }.map(ExternalFolder.closed)
    }

    /// For a model in memory whose weights are below `folder`.
    package init(folder: String) {
        self.folder = folder
        model = nil
        roots = [ExternalFolder.real(folder)].compactMap { $0 }.map(ExternalFolder.closed)
    }

    /// The path of a weights file.
    ///
    /// - Throws: if the model may not refer to it, or it is not a readable regular file.
    package func path(of location: String) throws(ModelFileError) -> String {
        try ExternalFolder.check(location)
        let path = folder + "/" + location
        func unreadable(_ error: FileError) -> ModelFileError {
            ModelFileError(
                .file, "its weights are in a second file, \(location): \(error.cause)",
                remedy: "Put that file next to the model, under this name.")
        }
        guard let real = ExternalFolder.real(path) else {
            throw unreadable(FileError(errno: errno, path: path))
        }
        guard roots.contains(where: { real.hasPrefix($0) }) else {
            throw ModelFileError(
                .forbidden, "its weights are in \(location), a link to a file outside the model's folder: \(real)",
                remedy: "Copy that file into the folder, or pass the model by its path in that file's folder.")
        }
        if let model, FileIdentity(real) == model {
            throw ModelFileError(
                .forbidden, "its weights are in \(location), which is the model itself", remedy: "Export it again.")
        }
        do {
            _ = try RegularFile(real)
        } catch {
            throw unreadable(error)
        }
        return real
    }

    /// - Throws: if the name is unsafe in any folder.
    package static func check(_ location: String) throws(ModelFileError) {
        // Split by bytes: a Character may hide a slash in a combining mark that follows it.
        let parts = location.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard !location.isEmpty, location.utf8.first != UInt8(ascii: "/"), !location.utf8.contains(0),
            location.utf8.count <= 4096, !parts.contains(where: { $0.elementsEqual("..".utf8) })
        else {
            throw ModelFileError(
                .forbidden, "its weights are in \(location), which is outside the model's folder",
                remedy: "Put the weights next to the model, under their original name.")
        }
        // ONNX Runtime interprets such a name as a memory address.
        guard parts.first?.elementsEqual("*".utf8) != true else {
            throw ModelFileError(
                .forbidden, "its weights are in \(location), which is not a file name",
                remedy: "Export the model again.")
        }
    }

    private static func closed(_ path: String) -> String { path.hasSuffix("/") ? path : path + "/" }

    private static func real(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}

/// Identifies a file, regardless of its name.
private struct FileIdentity: Equatable {
    private let device: UInt64
    private let inode: UInt64

    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }
}
