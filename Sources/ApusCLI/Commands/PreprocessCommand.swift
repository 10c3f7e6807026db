import Apus
import ArgumentParser
import CommandSupport
import Engine

struct PreprocessCommand: AsyncParsableCommand {
    enum ElementFormat: String, CaseIterable, ExpressibleByArgument {
        case f32, f16
    }

    static let configuration = CommandConfiguration(
        commandName: "preprocess",
        abstract: "Write a model's input tensor for an image.",
        discussion: """
            Writes a NumPy .npy file of shape [1, 3, height, width], resized and normalized exactly as in `apus detect`, to \
            compare with other programs. Follows the model's rules; with --shortest and --longest, those of a DETR with \
            this resize rule and ImageNet's mean and standard deviation.
            """)

    @Argument(help: "A file, an http(s) URL, or - for standard input.", completion: .file())
    var image: String

    @Option(
        name: .shortAndLong, help: ArgumentHelp("The .npy file to write; - for standard output.", valueName: "file"),
        completion: .file(extensions: ["npy"]))
    var output: String

    @Option(
        help: ArgumentHelp(
            "An .onnx file, or the name of a pulled model; default: the demo model.", valueName: "model"),
        completion: .file(extensions: ["onnx"]))
    var model: String?

    @Option(help: ArgumentHelp("Length of the shorter side, instead of the model's rule.", valueName: "n"))
    var shortest: Int?

    @Option(help: ArgumentHelp("Maximum length of the longer side, instead of the model's rule.", valueName: "n"))
    var longest: Int?

    @Option(help: "The element type; default: the model's input type, else f32.")
    var dtype: ElementFormat?

    @OptionGroup var limits: LimitOptions
    @OptionGroup var familyOption: FamilyOption

    func validate() throws {
        guard (shortest == nil) == (longest == nil) else {
            throw ValidationError("--shortest and --longest must be given together.")
        }
        if let shortest, let longest {
            guard model == nil else {
                throw ValidationError("--model has a resize rule: leave out --shortest and --longest.")
            }
            guard shortest > 0, longest >= shortest, longest <= 10_000 else {
                throw ValidationError("--shortest must be above 0, and --longest from --shortest to 10000.")
            }
        }
    }

    mutating func run() async throws {
        do {
            let inputs = try ImageInput.expand(image).map { try $0.input.get() }
            guard inputs.count == 1 else { throw ValidationError("\(image) names \(inputs.count) images; name one.") }
            let limits = try limits.limits
            let picture = try Image(
                decoding: await inputs[0].bytes(limits: limits), name: inputs[0].name, limits: limits)
            let tensor = try preprocessor().tensor(for: picture)
            if output == "-" {
                try OutputFile.writeToStandardOutput(NPYFile.bytes(tensor))
            } else {
                try OutputFile.write(NPYFile.bytes(tensor), to: output)
                let shape = tensor.shape.map(String.init).joined(separator: ", ")
                Terminal.print("\(output)  [\(shape)] \(tensor.elementType.name)")
            }
        } catch let error as ApusError {
            Terminal.report(error)
            throw ExitCode(1)
        }
    }

    private func preprocessor() throws -> Preprocessor {
        if let shortest, let longest {
            return try Preprocessor(
                rule: ShortestEdge(shortest: shortest, longest: longest), type: dtype == .f16 ? .float16 : .float32)
        }
        return try Preprocessor(
            model: try model.map { .file(try ModelStore.path(of: $0)) } ?? .demo,
            family: familyOption.family, type: dtype.map { $0 == .f16 ? .float16 : .float32 })
    }
}
