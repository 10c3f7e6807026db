package import Remedies

/// Why an image cannot be read or written, and what to do about it.
package struct ImagingError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of failure. New kinds may be added.
    package struct Code: Hashable, Sendable {
        package let name: String

        package static let empty = Code(name: "empty")
        package static let unknownFormat = Code(name: "unknownFormat")
        package static let truncated = Code(name: "truncated")
        package static let corrupt = Code(name: "corrupt")
        package static let tooManyBytes = Code(name: "tooManyBytes")
        package static let tooManyPixels = Code(name: "tooManyPixels")
        /// Decoding costs more than an image of its size may.
        package static let tooCostly = Code(name: "tooCostly")
        /// The image is no longer needed.
        package static let cancelled = Code(name: "cancelled")
        package static let notEncodable = Code(name: "notEncodable")
    }

    package var code: Code
    package var cause: String
    package var remedy: Remedy?

    package init(_ code: Code, _ cause: String, remedy: Remedy? = nil) {
        self.code = code
        self.cause = cause
        self.remedy = remedy
    }

    package var description: String { remedy.map { "\(cause)\n\($0)" } ?? cause }
}
