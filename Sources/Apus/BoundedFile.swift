internal import Foundation

/// Reads files that may be anything, up to a limit.
enum BoundedFile {
    /// Why a file cannot be read, and what to do.
    struct Failure: Error {
        var cause: String
        var remedy: String
    }

    /// The whole of a file, or nil if it is longer than `limit`: it may grow, and a pipe has no size beforehand.
    static func bytes(atPath path: String, limit: Int) throws(Failure) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(errno, path) }
        defer { close(descriptor) }
        return try bytes(descriptor, limit: limit, name: path)
    }

    static func bytes(_ descriptor: Int32, limit: Int, name: String) throws(Failure) -> [UInt8]? {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = read(descriptor, &piece, piece.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw failure(errno, name)
            }
            if count == 0 { return bytes }
            if count > limit - bytes.count { return nil }
            bytes += piece[..<count]
        }
    }

    private static func failure(_ code: Int32, _ path: String) -> Failure {
        switch code {
        case ENOENT, ENOTDIR: Failure(cause: "there is no such file", remedy: "Check the path.")
        case EISDIR: Failure(cause: "it is a folder", remedy: "Name a file in it.")
        case EACCES, EPERM: Failure(cause: "you may not read it", remedy: "Change its permissions: chmod +r \(path)")
        default:
            Failure(cause: String(cString: strerror(code)), remedy: "Check the file and the disk that it is on.")
        }
    }
}
