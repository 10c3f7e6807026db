package import Remedies

/// What went wrong between Apus and an engine: the kind, the operation, the cause and the remedy.
package struct EngineError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure. New kinds may be added.
    package struct Code: Hashable, Sendable {
        package let name: String

        package static let runtimeNotFound = Code(name: "runtimeNotFound")
        package static let runtimeUnusable = Code(name: "runtimeUnusable")
        package static let openVINOUnavailable = Code(name: "openVINOUnavailable")
        package static let deviceUnavailable = Code(name: "deviceUnavailable")
        package static let invalidOption = Code(name: "invalidOption")
        package static let modelUnreadable = Code(name: "modelUnreadable")
        package static let notOnProvider = Code(name: "notOnProvider")
        package static let sessionFailed = Code(name: "sessionFailed")
        package static let invalidInput = Code(name: "invalidInput")
        package static let runFailed = Code(name: "runFailed")
        package static let cancelled = Code(name: "cancelled")
    }

    package var code: Code
    /// The operation that failed, as in "load the model /models/detr.onnx".
    package var doing: String
    package var cause: String
    package var remedy: Remedy?
    /// What the runtime logged meanwhile: warnings and errors only.
    package var log: [String]

    package init(_ code: Code, doing: String, cause: String, remedy: Remedy? = nil, log: [String] = []) {
        self.code = code
        self.doing = doing
        self.cause = cause
        self.remedy = remedy
        self.log = log
    }

    package var description: String {
        let text = "could not \(doing): \(cause)"
        return remedy.map { "\(text)\n\($0)" } ?? text
    }
}
