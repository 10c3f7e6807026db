package import Remedies

/// The result of one of the doctor's checks.
package struct Finding: Sendable, Encodable, Equatable {
    package enum Status: String, Sendable, Encodable {
        case pass, warn, fail
    }

    /// The name of the check in machine-readable form, such as "libraries".
    package var check: String
    package var status: Status
    /// What was found, and why it matters if something is wrong.
    package var reason: String
    /// How to fix it: a command where there is one.
    package var remedy: Remedy?

    package init(_ check: String, _ status: Status, _ reason: String, remedy: Remedy? = nil) {
        self.check = check
        self.status = status
        self.reason = reason
        self.remedy = remedy
    }
}

/// What should work.
package enum DoctorTarget: String, Sendable {
    case auto, cpu, gpu, npu
}
