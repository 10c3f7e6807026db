internal import Files
internal import Foundation
internal import Remedies

/// Where the weights that a model keeps in other files may be: in the model's folder, or below it.
///
/// Links are followed, and where they lead counts. The model's folder is that of its path as it was given; if the model
/// itself is a link, the folder that it leads to is allowed as well, as in the cache of Hugging Face's hub, where
/// `snapshots/…/model.onnx` and `model.onnx_data` both lead to `blobs/`. Nothing else is, so that a model cannot have
/// other files of its user read as weights.
package struct ExternalFolder: Sendable {
    private let folder: String
    /// Real paths that end in a slash.
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

    /// The path of a file of weights.
    ///
    /// - Throws: if the model may not name it, or it is not a regular file that can be read.
    package func path(of location: String) throws(ModelFileError) -> String {
        try ExternalFolder.check(location)
        let path = folder + "/" + location
        func unreadable(_ error: FileError) -> ModelFileError {
            ModelFileError(
                .file, "its weights are in a second file, \(location): \(error.cause)",
                remedy: "Put that file beside the model, under this name.")
        }
        guard let real = ExternalFolder.real(path) else {
            throw unreadable(FileError(errno: errno, path: path))
        }
        guard roots.contains(where: { real.hasPrefix($0) }) else {
            throw ModelFileError(
                .forbidden, "its weights are in \(location), a link that leads out of the model's folder, to \(real)",
                remedy: "Copy that file into the folder, or name the model by its path beside the file.")
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

    /// - Throws: for a name that no folder makes safe.
    package static func check(_ location: String) throws(ModelFileError) {
        // By bytes: a Character may hide a slash in a mark that follows it.
        let parts = location.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard !location.isEmpty, location.utf8.first != UInt8(ascii: "/"), !location.utf8.contains(0),
            location.utf8.count <= 4096, !parts.contains(where: { $0.elementsEqual("..".utf8) })
        else {
            throw ModelFileError(
                .forbidden, "its weights are in \(location), which is outside of the model's folder",
                remedy: "Put the weights beside the model, under the name that the model was saved with.")
        }
        // ONNX Runtime takes such a name for an address in memory.
        guard parts.first?.elementsEqual("*".utf8) != true else {
            throw ModelFileError(
                .forbidden, "its weights are in \(location), which is not the name of a file",
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

/// What tells one file from another, by whatever name.
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
