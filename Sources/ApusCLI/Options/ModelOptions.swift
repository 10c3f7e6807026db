import Apus
import ArgumentParser
import CommandSupport

/// Which model to run, where and how.
struct ModelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "An .onnx file, or the name of a pulled model. (default: the demo model, which detects drawn shapes only)",
            valueName: "model"),
        completion: .file(extensions: ["onnx"]))
    var model: String?

    @OptionGroup var detector: DetectorOptions

    func configuration() throws -> Detector.Configuration { try detector.configuration() }

    func chosenModel() throws -> Model { try model.map { .file(try ModelStore.path(of: $0)) } ?? .demo }

    /// A detector for a few images: canvases other than the first are compiled when an image needs them.
    func detector(_ verification: VerificationOptions) throws -> Detector {
        var configuration = try configuration()
        configuration.requiresVerified = verification.requireVerified
        configuration.preparation = .whenNeeded
        return try Detector(model: chosenModel(), configuration: configuration)
    }
}
