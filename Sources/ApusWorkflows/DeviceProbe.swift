internal import Apus
internal import Engine
internal import Files
internal import Foundation
internal import Hardware
internal import ModelTools
internal import ONNX
internal import Remedies

/// Runs a tiny model on a device in a child process, so that a driver that crashes or hangs is a finding.
package struct DeviceProbe: Sendable {
    /// What the child process reports, as JSON.
    package struct Outcome: Codable, Sendable {
        var works: Bool
        /// What ran, or why nothing ran.
        var text: String
        var remedy: String?
        /// OpenVINO's names of all devices.
        var devices: [String] = []
        /// OpenVINO's name of the device that ran.
        var device: String?
    }

    /// Compiling takes a weak GPU's driver seconds.
    private static let limit = Duration.seconds(120)

    /// The command that runs `answer` in another process, for a device.
    private let command: @Sendable (String) -> [String]

    /// - Parameter command: the arguments, program path first, of a process that calls `answer` for a device.
    package init(command: @escaping @Sendable (String) -> [String]) { self.command = command }

    /// - Parameter device: OpenVINO's name, or "auto".
    func run(_ device: String) -> Outcome {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("apus-doctor-\(UUID().uuidString)")
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let answer = folder.appendingPathComponent("answer").path
        let log = folder.appendingPathComponent("log").path
        let child: ChildProcess
        do {
            child = try ChildProcess(command(device), output: answer, errors: log)
        } catch {
            return Outcome(works: false, text: "no process could be started to test it: \(error)")
        }
        guard let end = child.wait(DeviceProbe.limit) else {
            return Outcome(
                works: false, text: "it did not finish within \(DeviceProbe.limit.components.seconds) s",
                remedy: "The driver hangs: restart the machine, or update the driver.")
        }
        if case .signal(let number) = end {
            return Outcome(
                works: false, text: "the process was ended by signal \(number) (\(String(cString: strsignal(number))))",
                remedy:
                    "A library or driver crashed: its version does not match the others. Reinstall the runtime and the "
                    + "driver.")
        }
        if let bytes = try? BoundedFile.bytes(atPath: answer, limit: 1_000_000),
            let outcome = try? JSONDecoder().decode(Outcome.self, from: Data(bytes))
        {
            return outcome
        }
        let written = (try? BoundedFile.bytes(atPath: log, limit: 10_000_000)) ?? []
        let lines = String(decoding: written, as: UTF8.self)
        return Outcome(works: false, text: "it ended without a result: \(lines.suffix(400))")
    }

    /// The name that makes `run` list OpenCL's devices.
    static let openCL = "opencl"

    /// The child process's part: writes the outcome to standard output, which libraries may write to as well.
    package static func answer(_ device: String, runtime folder: String?) throws {
        let output = dup(STDOUT_FILENO)
        dup2(STDERR_FILENO, STDOUT_FILENO)
        let json = try JSONEncoder().encode(outcome(device, runtime: folder))
        try FileHandle(fileDescriptor: output).write(contentsOf: json)
    }

    private static func outcome(_ device: String, runtime folder: String?) -> Outcome {
        if device == openCL { return openCLDevices() }
        // Kept even if the requested device fails, so that the others are tried too.
        var listed: [String] = []
        do {
            let engine = try Engines.load(from: folder)
            if device == "onnxruntime" { return try run(.ownKernels, engine, devices: []) }
            let core = try engine.openVINO(doing: "test OpenVINO")
            let devices = try core.devices()
            listed = devices.map(\.id)
            let name = device == "auto" ? try DeviceChoice.best(of: devices).name : device
            let described = core.device(name)
            guard
                let precision = ComputePrecision(rawValue: DeviceChoice.precisions(of: described)[0].rawValue)
            else { preconditionFailure("a device has a precision") }
            return try run(.openVINO(device: name, precision: precision), engine, devices: listed)
        } catch let error as EngineError {
            return Outcome(works: false, text: error.cause, remedy: error.remedy?.text(for: .command), devices: listed)
        } catch let error as ApusError {
            return Outcome(works: false, text: error.cause, remedy: error.advice?.text(for: .command), devices: listed)
        } catch {
            return Outcome(works: false, text: "\(error)", devices: listed)
        }
    }

    private static func openCLDevices() -> Outcome {
        do {
            let found = try OpenCLLibrary().devices()
            let devices = found.devices.filter { $0.isGPU && $0.isIntel }
            guard !devices.isEmpty else {
                let text = (["Intel's OpenCL driver provides no GPU"] + found.failures).joined(separator: "; ")
                return Outcome(works: false, text: text)
            }
            let list = devices.map { "\($0.name), driver \($0.driverVersion)" }.joined(separator: "; ")
            return Outcome(works: true, text: list)
        } catch {
            return Outcome(works: false, text: "\(error)")
        }
    }

    private static func run(_ target: ExecutionTarget, _ engine: any Engine, devices: [String]) throws -> Outcome {
        let start = ContinuousClock.now
        let session = try engine.session(
            checked: .bytes(try ONNXFile.skeleton(model)), options: SessionOptions(target))
        let input = try Tensor(shape: [1, 64], scalars: [Float](repeating: 0.5, count: 64))
        let outputs = try session.run(["x": input])
        let seconds = String(format: "%.1f s", (ContinuousClock.now - start).milliseconds / 1000)
        let name = session.openVINODevice ?? "ONNX Runtime's own CPU kernels"
        guard outputs["y"]?.shape == [1, 64] else {
            return Outcome(works: false, text: "\(name) returned no output for a small model")
        }
        return Outcome(
            works: true, text: "a small model compiled and ran on \(name) in \(seconds)", devices: devices,
            device: session.openVINODevice)
    }

    /// Two layers, which OpenVINO accepts; it leaves a graph of one or two trivial nodes to the CPU.
    private static var model: ONNXModel {
        var model = ONNXModel()
        model.opsets = [("", 17)]
        model.producerName = "apus"
        let weights: [Float] = (0..<(64 * 64)).map { index in
            let step = Float((index * 37) % 101)
            return step / 101 - 0.5
        }
        model.graph.name = "probe"
        model.graph.initializers = ["a", "b"].map { ONNXTensor(name: $0, floats: weights, shape: [64, 64]) }
        model.graph.inputs = [ValueDeclaration(name: "x", type: .tensor(.float32, [.fixed(1), .fixed(64)]))]
        model.graph.outputs = [ValueDeclaration(name: "y", type: .tensor(.float32, [.fixed(1), .fixed(64)]))]
        model.graph.nodes = [
            Node("MatMul", inputs: ["x", "a"], outputs: ["h"], attributes: [], name: "first"),
            Node("Relu", inputs: ["h"], outputs: ["r"], attributes: [], name: "between"),
            Node("MatMul", inputs: ["r", "b"], outputs: ["y"], attributes: [], name: "second"),
        ]
        return model
    }
}
