internal import Foundation

/// Why a file cannot be read, and what to do about it.
package struct FileError: Error, Sendable, Equatable {
    package var cause: String
    package var remedy: String

    package init(cause: String, remedy: String) {
        self.cause = cause
        self.remedy = remedy
    }

    /// Translates a failed system call for the user.
    package init(errno code: Int32, path: String) {
        switch code {
        case ENOENT, ENOTDIR: self.init(cause: "there is no such file", remedy: "Check the path.")
        case EACCES, EPERM:
            self.init(cause: "you don't have permission to read it", remedy: "Change its permissions: chmod +r \(path)")
        case ELOOP:
            self.init(cause: "it is a symbolic link that points to itself", remedy: "Use the file itself.")
        default:
            self.init(cause: String(cString: strerror(code)), remedy: "Check the file and its disk.")
        }
    }
}
