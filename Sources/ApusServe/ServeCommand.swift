import Apus
import ApusServer
package import ArgumentParser
import CommandSupport
import Foundation
import Logging

/// `apus serve`: runs the server.
package struct ServeCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve models over HTTP and gRPC.",
        discussion: """
            Listens on localhost only, unless --host is set. Every option can also be set in the environment (--max-body as \
            APUS_MAX_BODY) or in a YAML or JSON file (max-body: 20MB). The command line takes precedence over the \
            environment, and the environment over the file. See docs/serve.md.

            Examples:
              apus serve
              apus serve --model detr-r50 --device gpu --host 0.0.0.0 --api-key-file keys.txt
              apus serve --model street=a.onnx --model farm=b.onnx --port 32168
              curl -F file=@street.jpg http://127.0.0.1:8000/predict
            """)

    @OptionGroup var options: ServerOptions

    @Option(
        help: ArgumentHelp("A YAML or JSON file with settings; also APUS_CONFIG.", valueName: "file"),
        completion: .file())
    var config: String?
    @Flag(help: "Print all settings with their origins, and exit.")
    var printConfig = false
    @Option(help: .hidden)
    var checkModel: String?

    package init() {}

    package mutating func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let (settings, configuration) = try Terminal.reporting {
            let settings = try ServerSettings(
                commandLine: GivenSettings(options).texts, environment: environment,
                file: config ?? environment["APUS_CONFIG"])
            var configuration = try ServerConfiguration(settings)
            configuration.version = Apus.version
            configuration.checkModel = ModelProbe.run
            return (settings, configuration)
        }
        if printConfig {
            Terminal.print(settings.printed)
            return
        }
        if let checkModel {
            try ModelProbe.answer(checkModel, configuration)
            Terminal.exit(0)
        }
        let logger = Logger(label: "apus") {
            ServerLog(label: $0, format: configuration.logFormat, level: configuration.logLevel)
        }
        do {
            try await Server(configuration, logger: logger).run()
        } catch {
            Terminal.report(error)
            Terminal.exit(1)
        }
        Terminal.exit(0)
    }
}
