import Apus
import ApusServer
package import ArgumentParser
import CommandSupport
import Foundation
import Logging
internal import Remedies

/// `apus serve`: runs the server.
package struct ServeCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve models over HTTP and gRPC.",
        discussion: """
            Listens on this machine only unless --host says otherwise. Every option can also be set in the environment \
            (--max-body as APUS_MAX_BODY) or in a YAML or JSON file (max-body: 20MB); the command line counts first, then \
            the environment, then the file. docs/serve.md has all of it.

            Examples:
              apus serve
              apus serve --model detr-r50 --device gpu --host 0.0.0.0 --api-key-file keys.txt
              apus serve --model street=a.onnx --model farm=b.onnx --port 32168
              curl -F file=@street.jpg http://127.0.0.1:8000/predict
            """)

    @Option(
        help: ArgumentHelp(
            "A file, name=file, or a pulled model's name; may be repeated. The first is the default.",
            valueName: "model"))
    var model: [String] = []
    @Option(
        help: ArgumentHelp(
            "The models' family, where their files leave it open: \(Family.all.map(\.name).joined(separator: ", ")).",
            valueName: "family"))
    var family: String?
    @Option(help: "auto, cpu, gpu, gpu.N or npu.")
    var device: String?
    @Option(help: "auto, f32, bf16 or f16.")
    var precision: String?
    @Option(help: "auto, openvino or cpu.")
    var provider: String?
    @Option(help: ArgumentHelp("Report objects with a higher score. Default: 0.9.", valueName: "score"))
    var threshold: String?
    @Option(help: ArgumentHelp("Class names: JSON, or a text file with one name per line.", valueName: "file"))
    var labels: String?
    @Option(help: "auto, exact, padded, or sizes such as 1344x800,800x1344.")
    var shapes: String?
    @Option(help: "before-ready compiles all shapes before the first response; background only the largest.")
    var preparation: String?
    @Option(help: ArgumentHelp("The folder for compiled GPU models.", valueName: "folder"))
    var cacheDir: String?
    @Flag(help: "Don't read or write the cache of compiled models.")
    var noCache = false
    @Option(
        help:
            "auto verifies a GPU's or NPU's results before the first response, once; always includes the CPU; never."
    )
    var verify: String?
    @Flag(help: "Refuse a device whose results failed verification.")
    var requireVerified = false
    @Option(help: ArgumentHelp("The folder that holds ONNX Runtime.", valueName: "folder"))
    var runtime: String?

    @Option(
        help: ArgumentHelp(
            "The address to listen on; 0.0.0.0 for all. Default: 127.0.0.1.", valueName: "address"))
    var host: String?
    @Option(help: ArgumentHelp("The HTTP port; 0 picks a free one. Default: 8000.", valueName: "n"))
    var port: String?
    @Option(help: ArgumentHelp("Also serve gRPC (Open Inference Protocol) on this port.", valueName: "n"))
    var grpcPort: String?
    @Option(help: ArgumentHelp("Maximum size of a request body. Default: 20MB.", valueName: "bytes"))
    var maxBody: String?
    @Option(help: ArgumentHelp("Total size of in-flight request bodies. Default: 256MB.", valueName: "bytes"))
    var maxBodies: String?
    @Option(help: ArgumentHelp("Maximum number of pixels of an image. Default: 50000000.", valueName: "n"))
    var maxPixels: String?
    @Option(help: ArgumentHelp("Maximum number of connections. Default: 4096.", valueName: "n"))
    var maxConnections: String?
    @Option(
        help: ArgumentHelp(
            "Maximum number of waiting requests; others are refused at once. Default: 64.", valueName: "n"))
    var queue: String?
    @Option(
        help: ArgumentHelp(
            "Inference threads. Default: 1. On a GPU, 2 decodes one image while another runs.",
            valueName: "n"))
    var concurrency: String?
    @Option(help: ArgumentHelp("Maximum number of images per run. Default: 1.", valueName: "n"))
    var maxBatch: String?
    @Option(help: ArgumentHelp("Time a run waits for more images, in milliseconds. Default: 0.", valueName: "n"))
    var batchDelayMs: String?
    @Option(help: ArgumentHelp("Time allowed for a response. Default: 30.", valueName: "seconds"))
    var timeout: String?
    @Option(help: ArgumentHelp("Time allowed to receive a body. Default: 30.", valueName: "seconds"))
    var bodyTimeout: String?
    @Option(
        help: ArgumentHelp(
            "Time after which a connection without requests is closed. Default: 60.", valueName: "seconds"))
    var idleTimeout: String?
    @Option(help: ArgumentHelp("Shutdown grace period for in-flight requests. Default: 30.", valueName: "seconds"))
    var grace: String?
    @Option(help: ArgumentHelp("The PEM certificate chain; requires --tls-key.", valueName: "file"))
    var tlsCert: String?
    @Option(help: ArgumentHelp("The PEM private key.", valueName: "file"))
    var tlsKey: String?
    @Option(
        help: ArgumentHelp("Require an API key from this file, which has one per line.", valueName: "file"))
    var apiKeyFile: String?
    @Flag(inversion: .prefixedNo, help: "Serve /metrics (default: on).")
    var metrics: Bool?
    @Flag(inversion: .prefixedNo, help: "Serve a page at / (default: on).")
    var page: Bool?
    @Option(
        help: ArgumentHelp("Allow pages of this origin; may be repeated. Default: none.", valueName: "origin"))
    var corsOrigin: [String] = []
    @Option(
        help: ArgumentHelp(
            "Download images for {\"url\": …} from this host: example.com, *.example.com or *; may be repeated. Never from "
                + "private addresses. Default: none.", valueName: "host"))
    var urlHost: [String] = []
    @Option(help: ArgumentHelp("Time allowed to download an image. Default: 10.", valueName: "seconds"))
    var urlTimeout: String?
    @Option(help: ArgumentHelp("Maximum number of objects in a DeepStack response (Frigate takes 20).", valueName: "n"))
    var deepstackLimit: String?
    @Option(
        help: ArgumentHelp(
            "Minimum confidence of a DeepStack response, if the client sends none. Default: 0.4.",
            valueName: "score"))
    var deepstackConfidence: String?
    @Option(
        help: ArgumentHelp(
            "How often model files are checked for changes, or off. Default: 2.", valueName: "seconds"))
    var reloadInterval: String?
    @Option(help: "text or json.")
    var logFormat: String?
    @Option(help: "debug, info, warning or error.")
    var logLevel: String?

    @Option(
        help: ArgumentHelp("A YAML or JSON file with settings; or APUS_CONFIG.", valueName: "file"),
        completion: .file())
    var config: String?
    @Flag(help: "Print all settings and their origins, and exit.")
    var printConfig = false
    @Option(help: .hidden)
    var checkModel: String?

    private var given: [String: [String]] {
        let single: [(String, String?)] = [
            ("family", family), ("device", device), ("precision", precision), ("provider", provider),
            ("threshold", threshold),
            ("labels", labels), ("shapes", shapes), ("preparation", preparation), ("cache-dir", cacheDir),
            ("no-cache", noCache ? "true" : nil), ("verify", verify),
            ("require-verified", requireVerified ? "true" : nil),
            ("runtime", runtime), ("host", host), ("port", port),
            ("grpc-port", grpcPort), ("max-body", maxBody), ("max-bodies", maxBodies),
            ("max-pixels", maxPixels), ("max-connections", maxConnections), ("queue", queue),
            ("concurrency", concurrency), ("max-batch", maxBatch), ("batch-delay-ms", batchDelayMs),
            ("timeout", timeout), ("body-timeout", bodyTimeout), ("idle-timeout", idleTimeout), ("grace", grace),
            ("tls-cert", tlsCert), ("tls-key", tlsKey), ("api-key-file", apiKeyFile),
            ("metrics", metrics.map { "\($0)" }), ("page", page.map { "\($0)" }),
            ("url-timeout", urlTimeout), ("deepstack-limit", deepstackLimit),
            ("deepstack-confidence", deepstackConfidence),
            ("reload-interval", reloadInterval), ("log-format", logFormat), ("log-level", logLevel),
        ]
        var given = Dictionary(
            uniqueKeysWithValues: single.compactMap { name, value in value.map { (name, [$0]) } })
        if !model.isEmpty { given["model"] = model }
        if !corsOrigin.isEmpty { given["cors-origin"] = corsOrigin }
        if !urlHost.isEmpty { given["url-host"] = urlHost }
        return given
    }

    package init() {}

    package mutating func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let (settings, configuration) = try Terminal.reporting {
            let settings = try ServerSettings(
                commandLine: given, environment: environment, file: config ?? environment["APUS_CONFIG"])
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
        let logger = try Terminal.reporting { try settings.logger() }
        do {
            try await Server(configuration, logger: logger).run()
        } catch {
            Terminal.report(error)
            Terminal.exit(1)
        }
        Terminal.exit(0)
    }
}

extension ServerSettings {
    fileprivate func logger() throws(ApusError) -> Logger {
        guard let format = ServerLog.Format(rawValue: text("log-format") ?? "") else {
            throw refuse("log-format", "it is not a valid format", "Choose text or json.")
        }
        guard let level = Logger.Level(rawValue: text("log-level") ?? "") else {
            throw refuse("log-level", "it is not a valid level", "Choose debug, info, warning or error.")
        }
        return Logger(label: "apus") { ServerLog(label: $0, format: format, level: level) }
    }
}
