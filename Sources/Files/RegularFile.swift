internal import Foundation

/// An open regular file. Opening never blocks: a pipe, a device or a socket is an error that states its kind.
package struct RegularFile: ~Copyable {
    package let descriptor: Int32
    /// Size in bytes when opened.
    package let size: Int

    package init(_ path: String) throws(FileError) {
        // Opening a device can have side effects, so check first. The opened file is checked again.
        var status = stat()
        guard stat(path, &status) == 0 else { throw FileError(errno: errno, path: path) }
        if let error = RegularFile.problem(status) { throw error }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { throw FileError(errno: errno, path: path) }
        var failure = fstat(descriptor, &status) == 0 ? nil : FileError(errno: errno, path: path)
        failure = failure ?? RegularFile.problem(status)
        if let failure {
            close(descriptor)
            throw failure
        }
        self.descriptor = descriptor
        size = Int(status.st_size)
    }

    deinit { close(descriptor) }

    /// Reads the file in pieces, from start to end.
    package func forEachPiece(_ path: String, _ work: (UnsafeRawBufferPointer) -> Void) throws(FileError) {
        var piece = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(descriptor, &piece, piece.count)
            if count == 0 { return }
            if count > 0 {
                piece.withUnsafeBytes { work(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            } else if errno != EINTR {
                throw FileError(errno: errno, path: path)
            }
        }
    }

    private static func problem(_ status: stat) -> FileError? {
        let kind: String
        switch status.st_mode & S_IFMT {
        case S_IFREG: return nil
        case S_IFDIR: return FileError(cause: "it is a folder", remedy: "Use a file in it.")
        case S_IFIFO: kind = "a pipe"
        case S_IFCHR: kind = "a character device"
        case S_IFBLK: kind = "a block device"
        case S_IFSOCK: kind = "a socket"
        default: kind = "something else"
        }
        return FileError(
            cause: "it is \(kind), not a regular file", remedy: "Copy the contents to a regular file and use that.")
    }
}
