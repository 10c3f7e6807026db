public import Apus
public import ArgumentParser

extension Device: ExpressibleByArgument {
    /// Reads what `Device.init(_:)` reads.
    public init?(argument: String) { self.init(argument) }
    /// What `--help` and completions list.
    public static var allValueStrings: [String] { ["auto", "cpu", "gpu", "gpu.0", "gpu.1", "npu"] }
}
extension Precision: ExpressibleByArgument {}
extension Provider: ExpressibleByArgument {}

/// Which model runs, where and how.
struct DetectorOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "An .onnx file, or the name of a model that was pulled; default: the demo model, which knows drawings only.",
            valueName: "model"),
        completion: .file(extensions: ["onnx"]))
    var model: String?

    @Option(help: "auto, cpu, gpu, gpu.N or npu. auto takes an Intel GPU if OpenVINO finds one, else the CPU.")
    var device = Device.auto

    @Option(help: "What the device computes in; auto is f32 on a CPU and f16 on a GPU.")
    var precision = Precision.auto

    @Option(help: "Whose kernels run: OpenVINO's, or ONNX Runtime's own on the CPU.")
    var provider = Provider.auto

    @Option(help: ArgumentHelp("Report objects with a higher score, 0 to 1.", valueName: "score"))
    var threshold: Float = 0.9

    @Option(
        help: ArgumentHelp("Names of the classes: JSON, or a text with a name a line.", valueName: "file"),
        completion: .file())
    var labels: String?

    @OptionGroup var runtime: RuntimeOptions

    func validate() throws {
        guard (0...1).contains(threshold) else { throw ValidationError("--threshold is between 0 and 1.") }
    }

    func detector() throws -> Detector {
        let configuration = Detector.Configuration(
            device: device, precision: precision, provider: provider, threshold: threshold,
            labels: try labels.map { try LabelMap(contentsOfFile: $0) }, runtime: runtime.runtime)
        return try Detector(
            model: try model.map { .file(try ModelStore.path(of: $0)) } ?? .demo, configuration: configuration)
    }
}
