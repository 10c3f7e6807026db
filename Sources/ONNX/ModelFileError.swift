package import Remedies

/// Why a checkpoint or a model cannot be read, exported or converted, and what to do about it.
package struct ModelFileError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of failure. New kinds may be added.
    package struct Code: Hashable, Sendable {
        package let name: String

        /// The file cannot be opened or written.
        package static let file = Code(name: "file")
        /// The file is not what it claims to be, or is incomplete.
        package static let malformed = Code(name: "malformed")
        /// The file requests something that Apus never does, such as calling a function.
        package static let forbidden = Code(name: "forbidden")
        /// The file is valid, but of a kind that Apus doesn't read.
        package static let unsupported = Code(name: "unsupported")
        /// The checkpoint is not a network that Apus can export.
        package static let architecture = Code(name: "architecture")
        /// The types of the model cannot be determined.
        package static let types = Code(name: "types")
        /// An option has an invalid value.
        package static let option = Code(name: "option")
    }

    package var code: Code
    package var cause: String
    package var remedy: Remedy?

    /// - Parameter cause: values that are interpolated into it are shortened.
    package init(_ code: Code, _ cause: BoundedText, remedy: Remedy? = nil) {
        self.code = code
        self.cause = cause.description
        self.remedy = remedy
    }

    package var description: String { remedy.map { "\(cause)\n\($0)" } ?? cause }

    /// A file that is truncated or inconsistent.
    package static func malformed(_ cause: BoundedText) -> ModelFileError {
        ModelFileError(.malformed, cause, remedy: "The file may be incomplete or damaged: download it again.")
    }
}
