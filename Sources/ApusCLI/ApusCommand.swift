import Apus
import ArgumentParser
import CommandSupport
internal import Engine

#if Server
    import ApusServe
#endif

@main
struct ApusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apus",
        abstract: "Object detection on Intel GPUs and CPUs.",
        discussion: """
            Runs DETR detection models in ONNX format with ONNX Runtime and OpenVINO, and reports what ran where.

            Shell completions: apus --generate-completion-script bash|zsh|fish
            """,
        subcommands: [DetectCommand.self] + server + [
            PullCommand.self, ExportCommand.self, ConvertCommand.self, InspectCommand.self, DevicesCommand.self,
            DoctorCommand.self, VerifyCommand.self, BenchCommand.self, PreprocessCommand.self,
        ])

    #if Server
        private static let server: [any ParsableCommand.Type] = [ServeCommand.self]
    #else
        private static let server: [any ParsableCommand.Type] = []
    #endif

    @Flag(name: .long, help: "Print the versions of Apus, ONNX Runtime and OpenVINO.")
    var version = false

    @OptionGroup var runtime: RuntimeOptions

    mutating func run() async throws {
        guard version else { throw CleanExit.helpRequest() }
        Terminal.print("Apus \(Apus.version)")
        try Terminal.reporting {
            let versions = try RuntimeVersions(runtime: runtime.runtime)
            Terminal.print("ONNX Runtime \(versions.onnxRuntime) (\(versions.library), \(versions.origin))")
            Terminal.print(
                versions.openVINO.map { "OpenVINO \($0)" } ?? "OpenVINO: none (\(versions.whyNoOpenVINO ?? ""))")
        }
    }
}
