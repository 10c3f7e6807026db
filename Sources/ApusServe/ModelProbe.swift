import Apus
import ApusServer
import ApusWorkflows
import CommandSupport
import Foundation

/// Loads and runs a model in a separate process before a running server loads it: a file that crashes or hangs the runtime
/// becomes an error, and the server keeps running.
///
/// The process is this command with the server's arguments, so it has the same settings.
enum ModelProbe {
    /// Compiling can take minutes with the driver of a slow GPU.
    private static let limit = Duration.seconds(600)

    static func run(_ name: String) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "apus-model-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (answer, log) = (
            folder.appendingPathComponent("answer").path, folder.appendingPathComponent("log").path
        )
        let child = try ChildProcess(
            ["/proc/self/exe"] + CommandLine.arguments.dropFirst() + ["--check-model", name], output: answer,
            errors: log)
        guard let end = child.wait(limit) else {
            throw failure(name, "it did not load and run within \(limit.components.seconds) s")
        }
        let text = (try? String(contentsOfFile: answer, encoding: .utf8)) ?? ""
        switch end {
        case .code(0): return
        case .signal(let number):
            throw failure(name, "the runtime crashes on it: \(String(cString: strsignal(number)))")
        case .code(let code):
            throw failure(name, text.isEmpty ? "the process that loaded it exited with code \(code)" : text)
        }
    }

    private static func failure(_ name: String, _ cause: String) -> ApusError {
        ApusError(.model, doing: "load the model \(name) in a separate process", cause: cause)
    }

    /// Runs in the other process: exits with 1 if the model doesn't load or run, and writes the reason to standard output.
    static func answer(_ name: String, _ configuration: ServerConfiguration) throws {
        exitWithParent()
        let output = dup(STDOUT_FILENO)
        dup2(STDERR_FILENO, STDOUT_FILENO)
        do throws(ApusError) {
            guard let source = configuration.models.first(where: { $0.name == name }) else {
                throw ApusError(.option, doing: "check the model \(name)", cause: "no model has this name")
            }
            var detector = configuration.detector
            detector.batchSize = configuration.inference.maxBatch
            detector.requiresVerified = false
            let images = try SamplePictures.all().map(\.image)
            _ = try Detector(model: source.model, configuration: detector).detect(images)
        } catch {
            try? FileHandle(fileDescriptor: output).write(contentsOf: Data("\(error)".utf8))
            Terminal.exit(1)
        }
    }

    /// If the server is killed, the process ends too.
    private static func exitWithParent() {
        let parent = getppid()
        let thread = Thread {
            while getppid() == parent { sleep(1) }
            _exit(1)
        }
        thread.start()
    }
}
