import Apus
import ApusServer
import Foundation
import TestSupport
import Testing

@Suite struct ServerSettingsTests {
    private func settings(
        _ commandLine: [String: [String]] = [:], _ environment: [String: String] = [:], file: String? = nil
    ) throws -> ServerSettings {
        try ServerSettings(commandLine: commandLine, environment: environment, file: file)
    }

    @Test func theCommandLineCountsBeforeTheEnvironmentBeforeTheFile() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(
            Array("port: 1\nqueue: 2\nmax-body: 3MB\nmodel: [a=demo, b=demo]\nmetrics: false\n".utf8),
            to: "apus.yaml")
        let settings = try settings(
            ["port": ["100"]], ["APUS_PORT": "10", "APUS_QUEUE": "20", "APUS_TLS_CERT": "c", "APUS_TLS_KEY": "k"],
            file: file)
        let configuration = try ServerConfiguration(settings)
        #expect(configuration.port == 100)
        #expect(configuration.inference.queue == 20)
        #expect(configuration.maxBody == 3_000_000)
        #expect(configuration.models.map(\.name) == ["a", "b"])
        #expect(!configuration.hasMetrics && configuration.hasPage)
        #expect(configuration.tls == .init(certificate: "c", key: "k"))
        #expect(configuration.host == "127.0.0.1")
        for line in [
            "port: 100 # --port", "queue: 20 # APUS_QUEUE", "max-body: 3MB # \(file)", "timeout: 30 # default",
        ] {
            let words = settings.printed.split(separator: "\n").map {
                $0.split(separator: " ").joined(separator: " ")
            }
            #expect(words.contains(line), "\(line)")
        }
        // What is printed can be read again.
        let printed = try folder.write(Array(settings.printed.utf8), to: "printed.yaml")
        #expect(try ServerConfiguration(self.settings(file: printed)).inference == configuration.inference)
    }

    @Test func theModelsFamilyCanBeChosen() throws {
        #expect(try ServerConfiguration(settings()).detector.family == nil)
        #expect(try ServerConfiguration(settings(["family": ["detr"]])).detector.family == .detr)
        let error = #expect(throws: ApusError.self) {
            _ = try ServerConfiguration(settings([:], ["APUS_FAMILY": "yolo"]))
        }
        #expect(error?.remedy?.contains("detr") == true)
    }

    @Test func jsonIsReadToo() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(Array(#"{"port": 8, "model": {"street": "demo"}}"#.utf8), to: "apus.json")
        let configuration = try ServerConfiguration(settings(file: file))
        #expect(configuration.port == 8 && configuration.models.map(\.name) == ["street"])
    }

    @Test func whatIsNotKnownIsRefused() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(Array("prot: 1\n".utf8), to: "apus.yaml")
        let inFile = #expect(throws: ApusError.self) { try settings(file: file) }
        #expect(inFile?.cause == "there is no setting named \"prot\"")
        let variable = #expect(throws: ApusError.self) { try settings([:], ["APUS_PROT": "1"]) }
        #expect(variable?.cause == "the variable APUS_PROT is not a setting")
        _ = try settings([:], ["APUS_RUNTIME": "/x", "PATH": "/bin"])
    }

    @Test(arguments: [
        ("port", "70000", "it must be an integer from 0 to 65535"),
        ("threshold", "2", "it must be a number from 0 to 1"),
        ("max-body", "20 apples", "it is not a valid size"), ("timeout", "0", "it must be a time from 1 ms to 24 h"),
        ("metrics", "yes", "it must be true or false"), ("device", "tpu", "it is not a valid device"),
        ("tls-cert", "c", "tls-key is not set"), ("cors-origin", "example.com", "example.com is not a valid origin"),
        ("model", "../x=demo", "../x is not a valid model name"),
        ("preparation", "never", "it is not a valid preparation"),
    ])
    func aValueThatCannotBeIsNamedWithItsPlace(name: String, value: String, cause: String) throws {
        let error = #expect(throws: ApusError.self) {
            try ServerConfiguration(settings([:], ["APUS_" + name.uppercased().replacing("-", with: "_"): value]))
        }
        #expect(error?.cause == cause)
        #expect(error?.doing.contains("APUS_") == true)
    }

    /// What is not understood is not to leave the demo model in its place.
    @Test(arguments: [
        "model: []", "model: [{street: a.onnx}, {farm: b.onnx}]", "model: [a.onnx, [b.onnx]]", "model: {}",
        "model: {street: [a.onnx]}", "cors-origin: []", "port: [1]", "model: ''",
    ])
    func listsThatAreNotOfTextsAreRefused(text: String) throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(Array("\(text)\n".utf8), to: "apus.yaml")
        #expect(throws: ApusError.self) { try settings(file: file) }
    }

    /// Opening a pipe waits for whoever writes into it, maybe for ever.
    @Test func onlyFilesAreRead() throws {
        let folder = try TemporaryFolder()
        let pipe = folder.path("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        let config = #expect(throws: ApusError.self) { try settings(file: pipe) }
        #expect(config?.cause.contains("pipe") == true, "\(String(describing: config))")
        let keys = #expect(throws: ApusError.self) { try APIKeys(file: pipe) }
        #expect(keys?.cause.contains("pipe") == true, "\(String(describing: keys))")
    }

    @Test func modelsCanBeLeftAlone() throws {
        #expect(try ServerConfiguration(settings(["reload-interval": ["off"]])).reloadInterval == nil)
        #expect(try ServerConfiguration(settings()).reloadInterval == .seconds(2))
    }

    @Test func unitsOfBytesAndTimes() throws {
        let configuration = try ServerConfiguration(
            settings(["max-body": ["64KiB"], "timeout": ["500ms"], "body-timeout": ["2.5"]]))
        #expect(configuration.maxBody == 65536)
        #expect(configuration.timeout == .milliseconds(500) && configuration.bodyTimeout == .milliseconds(2500))
    }
}
