package import Engine
package import Imaging
package import ONNX
package import Remedies

/// What failed, while doing what, and what to do about it.
public struct ApusError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure. New kinds may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code in machine-readable form, such as "image".
        public let name: String

        /// The image cannot be read.
        public static let image = Code(name: "image")
        /// The image is larger than the limits allow.
        public static let tooLarge = Code(name: "tooLarge")
        /// The model file cannot be read.
        public static let model = Code(name: "model")
        /// The checkpoint cannot be read, or is not a network that Apus can export.
        public static let checkpoint = Code(name: "checkpoint")
        /// The model's outputs differ from the reference's.
        public static let verification = Code(name: "verification")
        /// The model is not a detector that Apus knows.
        public static let notADetector = Code(name: "notADetector")
        /// The model could be of several families, which decode its outputs differently.
        public static let ambiguousModel = Code(name: "ambiguousModel")
        /// ONNX Runtime is missing or does not load.
        public static let runtime = Code(name: "runtime")
        /// The requested device is missing or cannot run the model.
        public static let device = Code(name: "device")
        /// An option has an invalid value.
        public static let option = Code(name: "option")
        /// The model failed while running, or its outputs are not numbers.
        public static let inference = Code(name: "inference")
        /// The device computes wrong results: not a number, all equal, or changed since loading.
        public static let deviceFault = Code(name: "deviceFault")
        /// The task was cancelled.
        public static let cancelled = Code(name: "cancelled")

        /// The name.
        public var description: String { name }
    }

    /// The kind of failure.
    public var code: Code
    /// The operation that failed, as in "read the image street.jpg".
    public var doing: String
    /// Why it failed.
    public var cause: String
    /// What to do about it, in terms of the library's API.
    public var remedy: String? {
        get { advice?.text(for: .library) }
        set { advice = newValue.map { Remedy($0) } }
    }
    /// What to do about it, worded by each front end.
    package var advice: Remedy?
    /// The lower-level error that caused this one, if any.
    public var underlying: (any Error)?
    /// What the runtime logged meanwhile: warnings and errors only.
    public var log: [String]

    /// Makes an error from its parts.
    public init(_ code: Code, doing: String, cause: String, remedy: String? = nil, log: [String] = []) {
        self.code = code
        self.doing = doing
        self.cause = cause
        self.advice = remedy.map { Remedy($0) }
        self.log = log
    }

    package init(
        _ code: Code, doing: String, cause: String, remedy: Remedy?, underlying: (any Error)? = nil, log: [String] = []
    ) {
        self.code = code
        self.doing = doing
        self.cause = cause
        self.advice = remedy
        self.underlying = underlying
        self.log = log
    }

    /// "could not (doing): (cause)", followed by the remedy on its own line.
    public var description: String { text(for: .library) }

    /// The same, with the remedy in terms of a front end.
    package func text(for frontEnd: Remedy.FrontEnd) -> String {
        let text = "could not \(doing): \(cause)"
        return advice.map { "\(text)\n\($0.text(for: frontEnd))" } ?? text
    }
}

extension ApusError {
    package init(_ error: ImagingError, doing: String) {
        self.init(
            error.code == .cancelled
                ? .cancelled : [.tooManyBytes, .tooManyPixels].contains(error.code) ? .tooLarge : .image,
            doing: doing, cause: error.cause, remedy: error.remedy, underlying: error)
    }

    package init(_ error: ModelFileError, doing: String) {
        self.init(.model, doing: doing, cause: error.cause, remedy: error.remedy, underlying: error)
    }

    package init(_ error: EngineError) {
        let code: Code =
            switch error.code {
            case .runtimeNotFound, .runtimeUnusable, .openVINOUnavailable: .runtime
            case .deviceUnavailable, .notOnProvider: .device
            case .modelUnreadable, .sessionFailed: .model
            case .invalidOption: .option
            case .cancelled: .cancelled
            default: .inference
            }
        self.init(
            code, doing: error.doing, cause: error.cause, remedy: error.remedy, underlying: error, log: error.log)
    }

    /// Runs `body` and turns any error into an `ApusError`. The only place where errors of lower modules are wrapped.
    package static func wrapping<Result>(doing: String, _ body: () throws -> Result) throws(ApusError) -> Result {
        do {
            return try body()
        } catch let error as ApusError {
            throw error
        } catch let error as EngineError {
            throw ApusError(error)
        } catch let error as ImagingError {
            throw ApusError(error, doing: doing)
        } catch let error as ModelFileError {
            throw ApusError(error, doing: doing)
        } catch {
            throw ApusError(.inference, doing: doing, cause: "\(error)", remedy: nil as Remedy?, underlying: error)
        }
    }
}
