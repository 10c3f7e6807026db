internal import Foundation

/// Reads whole files up to a limit.
package enum BoundedFile {
    package typealias Failure = FileError

    /// The contents of a regular file; nil if it is longer than `limit`, even if it grows while it is read.
    package static func bytes(atPath path: String, limit: Int) throws(FileError) -> [UInt8]? {
        let file = try RegularFile(path)
        guard file.size <= limit else { return nil }
        return try bytes(file.descriptor, limit: limit, name: path)
    }

    /// Everything read from an open descriptor (standard input, say); nil if that is more than `limit`.
    package static func bytes(_ descriptor: Int32, limit: Int, name: String) throws(FileError) -> [UInt8]? {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = read(descriptor, &piece, piece.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError(errno: errno, path: name)
            }
            if count == 0 { return bytes }
            if count > limit - bytes.count { return nil }
            bytes += piece[..<count]
        }
    }
}
