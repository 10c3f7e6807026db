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
extension ShapePolicy: ExpressibleByArgument {
    /// Reads what `ShapePolicy.init(_:)` reads.
    public init?(argument: String) { self.init(argument) }
}

extension Family: ExpressibleByArgument {
    /// Reads what `Family.init(_:)` reads.
    public init?(argument: String) { self.init(argument) }
    /// What `--help` and completions list.
    public static var allValueStrings: [String] { all.map(\.name) }
}

/// How a model's outputs are to be read.
struct FamilyOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The model's family, where its file leaves it open.", valueName: "family"))
    var family: Family?
}

/// Which model runs, where and how.
struct DetectorOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "An .onnx file, or the name of a model that was pulled; default: the demo model, which knows drawings only.",
            valueName: "model"),
        completion: .file(extensions: ["onnx"]))
    var model: String?

    @OptionGroup var familyOption: FamilyOption

    @Option(help: "auto, cpu, gpu, gpu.N or npu. auto takes an Intel GPU if OpenVINO finds one, else the CPU.")
    var device = Device.auto

    @Option(help: "What the device computes in; auto is f32 on a CPU and f16 on a GPU.")
    var precision = Precision.auto

    @Option(help: "Whose kernels run: OpenVINO's, or ONNX Runtime's own on the CPU.")
    var provider = Provider.auto

    @Option(help: ArgumentHelp("Report objects with a higher score, 0 to 1.", valueName: "score"))
    var threshold: Float = 0.9

    @Option(
        help: ArgumentHelp("Class names: JSON, or a text file with one name per line.", valueName: "file"),
        completion: .file())
    var labels: String?

    @Option(
        help: ArgumentHelp(
            "Sizes to compile for: auto, exact, padded, or canvases.",
            discussion: """
                A GPU compiles a model for each size of input, which takes seconds. padded has it compiled for a few \
                canvases, to which pictures are padded; 1344x800,800x1344 names them; exact gives each picture its own \
                size. auto is exact on a CPU, and padded elsewhere if the model takes valid_sizes.
                """,
            valueName: "shapes"))
    var shapes = ShapePolicy.auto

    @OptionGroup var cache: CacheOptions

    @OptionGroup var runtime: RuntimeOptions

    func validate() throws {
        guard (0...1).contains(threshold) else { throw ValidationError("--threshold is between 0 and 1.") }
    }

    func configuration() throws -> Detector.Configuration {
        Detector.Configuration(
            family: familyOption.family, device: device, precision: precision, provider: provider, threshold: threshold,
            labels: try labels.map { try LabelMap(contentsOfFile: $0) }, shapes: shapes, cache: cache.cache,
            runtime: runtime.runtime)
    }

    func chosenModel() throws -> Model { try model.map { .file(try ModelStore.path(of: $0)) } ?? .demo }

    /// A detector for a few pictures: other canvases than the first are compiled when a picture needs them.
    func detector(_ verification: VerificationOptions) throws -> Detector {
        var configuration = try configuration()
        configuration.requiresVerified = verification.requireVerified
        configuration.preparation = .whenNeeded
        return try Detector(model: chosenModel(), configuration: configuration)
    }
}

/// What a device must have shown before it may run a model.
struct VerificationOptions: ParsableArguments {
    @Flag(help: "Refuse a device whose answers with this model `apus verify` has not found right.")
    var requireVerified = false
}

/// Where what a device compiled is kept.
struct CacheOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Keep what a GPU compiles in this folder; default: $XDG_CACHE_HOME/apus/compiled.", valueName: "folder"),
        completion: .directory)
    var cacheDir: String?

    @Flag(help: "Don't read or write the cache of compiled models.")
    var noCache = false

    var cache: CompiledModelCache { noCache ? .off : cacheDir.map { .folder($0) } ?? .standard }

    func validate() throws {
        guard cacheDir == nil || !noCache else {
            throw ValidationError("--cache-dir and --no-cache exclude each other.")
        }
    }
}
