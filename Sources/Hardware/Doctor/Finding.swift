package import Remedies

/// What one of the doctor's checks found.
package struct Finding: Sendable, Encodable, Equatable {
    package enum Status: String, Sendable, Encodable {
        case pass, warn, fail
    }

    /// A word for programs, as "libraries".
    package var check: String
    package var status: Status
    /// What was found, and why it matters if something is wrong.
    package var reason: String
    /// What mends it: a command where there is one.
    package var remedy: Remedy?

    package init(_ check: String, _ status: Status, _ reason: String, remedy: Remedy? = nil) {
        self.check = check
        self.status = status
        self.reason = reason
        self.remedy = remedy
    }
}

/// What is to work.
package enum DoctorTarget: String, Sendable {
    case auto, cpu, gpu, npu
}
