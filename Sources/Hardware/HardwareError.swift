/// A fact about this machine that could not be determined, and why.
package struct HardwareError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file or device.
    package var subject: String
    package var cause: String

    package init(_ subject: String, _ cause: String) {
        self.subject = subject
        self.cause = cause
    }

    package var description: String { "\(subject): \(cause)" }
}
