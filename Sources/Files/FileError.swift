internal import Foundation

/// Why a file cannot be read, and what to do about it.
package struct FileError: Error, Sendable, Equatable {
    package var cause: String
    package var remedy: String

    package init(cause: String, remedy: String) {
        self.cause = cause
        self.remedy = remedy
    }

    /// What a failed system call means to a user.
    package init(errno code: Int32, path: String) {
        switch code {
        case ENOENT, ENOTDIR: self.init(cause: "there is no such file", remedy: "Check the path.")
        case EACCES, EPERM:
            self.init(cause: "you may not read it", remedy: "Change its permissions: chmod +r \(path)")
        case ELOOP:
            self.init(cause: "it is a symbolic link that leads back to itself", remedy: "Name the file itself.")
        default:
            self.init(cause: String(cString: strerror(code)), remedy: "Check the file and the disk that it is on.")
        }
    }
}
