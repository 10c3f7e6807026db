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
        abstract: "Answer POST /predict, and the protocols that detectors and inference servers speak.",
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
    @Option(help: ArgumentHelp("Report objects with a higher score; default: 0.9.", valueName: "score"))
    var threshold: String?
    @Option(help: ArgumentHelp("Names of the classes: JSON, or a text with a name a line.", valueName: "file"))
    var labels: String?
    @Option(help: "auto, exact, padded, or canvases as 1344x800,800x1344.")
    var shapes: String?
    @Option(help: "before-ready: all shapes are compiled before the first answer; background: the largest only.")
    var preparation: String?
    @Option(help: ArgumentHelp("Keep what a GPU compiles in this folder.", valueName: "folder"))
    var cacheDir: String?
    @Flag(help: "Compile anew, and keep nothing.")
    var noCache = false
    @Option(
        help:
            "auto: answers of a GPU or NPU that never were are verified before the first; always: a CPU's too; never."
    )
    var verify: String?
    @Flag(help: "Refuse a device whose answers were not found right.")
    var requireVerified = false
    @Option(help: ArgumentHelp("The folder that holds ONNX Runtime.", valueName: "folder"))
    var runtime: String?

    @Option(
        help: ArgumentHelp(
            "The address to listen on; default: 127.0.0.1. 0.0.0.0 is every address.", valueName: "address"))
    var host: String?
    @Option(help: ArgumentHelp("default: 8000; 0 takes a free one.", valueName: "n"))
    var port: String?
    @Option(help: ArgumentHelp("Speak gRPC (Open Inference Protocol) on this port as well.", valueName: "n"))
    var grpcPort: String?
    @Option(help: ArgumentHelp("Refuse larger bodies; default: 20MB.", valueName: "bytes"))
    var maxBody: String?
    @Option(help: ArgumentHelp("Of all bodies together; default: 256MB.", valueName: "bytes"))
    var maxBodies: String?
    @Option(help: ArgumentHelp("Refuse pictures of more pixels; default: 50000000.", valueName: "n"))
    var maxPixels: String?
    @Option(help: ArgumentHelp("default: 4096.", valueName: "n"))
    var maxConnections: String?
    @Option(help: ArgumentHelp("Requests that may wait; more are refused at once. default: 64.", valueName: "n"))
    var queue: String?
    @Option(
        help: ArgumentHelp(
            "Runs at the same time; default: 1. On a GPU 2 lets one be prepared while the other runs.",
            valueName: "n"))
    var concurrency: String?
    @Option(help: ArgumentHelp("Pictures in a run; default: 1.", valueName: "n"))
    var maxBatch: String?
    @Option(help: ArgumentHelp("How long a run waits for more pictures; default: 0.", valueName: "n"))
    var batchDelayMs: String?
    @Option(help: ArgumentHelp("For an answer; default: 30.", valueName: "seconds"))
    var timeout: String?
    @Option(help: ArgumentHelp("For a body to come whole; default: 30.", valueName: "seconds"))
    var bodyTimeout: String?
    @Option(help: ArgumentHelp("Of a connection without requests; default: 60.", valueName: "seconds"))
    var idleTimeout: String?
    @Option(help: ArgumentHelp("For what runs to finish at the end; default: 30.", valueName: "seconds"))
    var grace: String?
    @Option(help: ArgumentHelp("A certificate chain, PEM; with --tls-key.", valueName: "file"))
    var tlsCert: String?
    @Option(help: ArgumentHelp("Its private key, PEM.", valueName: "file"))
    var tlsKey: String?
    @Option(
        help: ArgumentHelp("Answer only who shows a key of this file, which has one a line.", valueName: "file"))
    var apiKeyFile: String?
    @Flag(inversion: .prefixedNo, help: "Whether /metrics is there; default: it is.")
    var metrics: Bool?
    @Flag(inversion: .prefixedNo, help: "Whether there is a page at /; default: there is.")
    var page: Bool?
    @Option(
        help: ArgumentHelp("Let pages of this origin ask; may be repeated. default: none.", valueName: "origin"))
    var corsOrigin: [String] = []
    @Option(
        help: ArgumentHelp(
            "Fetch pictures for {\"url\": …} from this host: example.com, *.example.com or *; may be repeated. Never from "
                + "private addresses. default: none.", valueName: "host"))
    var urlHost: [String] = []
    @Option(help: ArgumentHelp("For a picture to be fetched; default: 10.", valueName: "seconds"))
    var urlTimeout: String?
    @Option(help: ArgumentHelp("The most objects of a DeepStack answer (Frigate holds 20).", valueName: "n"))
    var deepstackLimit: String?
    @Option(
        help: ArgumentHelp(
            "The least confidence of a DeepStack answer, if the client names none; default: 0.4.",
            valueName: "score"))
    var deepstackConfidence: String?
    @Option(
        help: ArgumentHelp(
            "How often models' files are looked at for changes, or off; default: 2.", valueName: "seconds"))
    var reloadInterval: String?
    @Option(help: "text or json.")
    var logFormat: String?
    @Option(help: "debug, info, warning or error.")
    var logLevel: String?

    @Option(
        help: ArgumentHelp("A YAML or JSON file with settings; or APUS_CONFIG.", valueName: "file"),
        completion: .file())
    var config: String?
    @Flag(help: "Print all settings and where each comes from, and end.")
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
            throw ApusError(
                .option, doing: "use log-format \(text("log-format") ?? "")", cause: "there is no such format",
                remedy: "There are text and json.")
        }
        guard let level = Logger.Level(rawValue: text("log-level") ?? "") else {
            throw ApusError(
                .option, doing: "use log-level \(text("log-level") ?? "")", cause: "there is no such level",
                remedy: "There are debug, info, warning and error.")
        }
        return Logger(label: "apus") { ServerLog(label: $0, format: format, level: level) }
    }
}
