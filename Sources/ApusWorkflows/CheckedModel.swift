package import Apus
internal import Engine
internal import Foundation
internal import ModelTools
package import ONNX
internal import Remedies

/// Whether a new model is run next to its source.
package enum CheckPolicy: Sendable {
    case none
    /// With ONNX Runtime in this folder; nil searches the usual places.
    case run(runtime: String?)
}

/// A model that was written, and checked against its source.
package struct CheckedModel: Sendable {
    package var model: ONNXModel
    package var written: ONNXFile.Written
    /// Nil if the check was skipped.
    package var check: ModelCheck.Report?
    package var writing: Duration
    package var checking: Duration?

    /// Writes `model` to `path`, and runs it next to its source unless the check is skipped. A model that fails is removed, and
    /// an existing file at `path` stays.
    package static func write(
        _ model: ONNXModel, to path: String, doing: String, tolerance: ModelCheck.Tolerance, policy: CheckPolicy,
        observer: WorkflowObserver, maxFileBytes: Int = ONNXFile.maxBytes,
        reference: @escaping @Sendable () throws -> ModelCheck.Subject
    ) async throws -> CheckedModel {
        let clock = ContinuousClock()
        let start = clock.now
        let check: ModelCheck? =
            if case .run(let runtime) = policy { try ModelCheck(runtime: runtime, tolerance: tolerance) } else { nil }
        // The expected outputs are computed while the model is written, on a thread of its own.
        async let expectation = RunCancellation.detached { _ in
            try check.map { try $0.expectation(of: reference()) }
        }
        // With a second file for the weights, the folder keeps both apart from the files that they replace.
        let folder = try check == nil ? nil : stagingFolder(for: path)
        let staged = folder.map { "\($0)/\(fileName(of: path))" } ?? path
        defer { if let folder { try? FileManager.default.removeItem(atPath: folder) } }
        let step = "writing"
        let written = try ModelToolsError.wrapping(doing: "write \(path)") {
            try ONNXFile.write(model, to: staged, maxBytes: maxFileBytes) {
                observer(.progress(step: step, done: $0, total: $1))
            }
        }
        observer(.finished(step: step))
        var made = CheckedModel(model: model, written: written, writing: clock.now - start)
        guard let check else { return made }
        do {
            guard let expected = try await expectation else { return made }
            made.check = try check.report(on: staged, of: path, expected: expected, doing: doing)
            made.written.dataPath = try move(written, from: staged, to: path)
        } catch {
            throw explained(error)
        }
        made.checking = clock.now - start - made.writing
        return made
    }

    /// Adds that the model was not kept, unless it is a failed verification, which states it already.
    private static func explained(_ error: any Error) -> any Error {
        guard var explained = error as? ApusError, explained.code != .verification else { return error }
        explained.advice =
            (explained.advice.map { $0 + "\n" } ?? "")
            + "The model was not kept. To skip the check: \(setting: .noCheck)."
        return explained
    }

    /// Moves a model that passed its check to its destination, and returns the path of its weights, if they are in a file of
    /// their own. The weights move first: a model is useless without them.
    private static func move(
        _ written: ONNXFile.Written, from staged: String, to path: String
    ) throws(ApusError) -> String? {
        let target = resolved(path)
        let dataPath = written.dataPath.map { _ in target + ".data" }
        let moves = [(written.dataPath, dataPath), (staged, target)]
        for case (let from?, let to?) in moves where rename(from, to) != 0 {
            throw ApusError(
                .option, doing: "write \(to)", cause: String(cString: strerror(errno)),
                remedy: "Make sure that you may write there.")
        }
        return dataPath
    }

    /// A new folder next to `path`, on the same file system, that holds a model until it is checked.
    private static func stagingFolder(for path: String) throws(ApusError) -> String {
        let target = resolved(path)
        let type = (try? FileManager.default.attributesOfItem(atPath: target))?[.type] as? FileAttributeType
        guard type == nil || type == .typeRegular else {
            throw ApusError(
                .option, doing: "write \(path)",
                cause: "it is not a regular file, so the model could not be checked there",
                remedy: "Write it to a file, or skip the check: \(setting: .noCheck)")
        }
        let folder = target + ".unchecked-\(getpid())"
        guard mkdir(folder, 0o777) == 0 else {
            throw ApusError(
                .option, doing: "write \(path)", cause: String(cString: strerror(errno)),
                remedy: "Make sure that its folder exists and that you may write there.")
        }
        return folder
    }

    private static func fileName(of path: String) -> String { URL(fileURLWithPath: resolved(path)).lastPathComponent }

    private static func resolved(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }

    /// Refuses to overwrite a model's source with the model.
    package static func check(_ output: String, isNot input: String, doing: String) throws(ApusError) {
        guard resolved(output) != resolved(input) else {
            throw ApusError(
                .option, doing: doing, cause: "the output would overwrite its input",
                remedy: "Choose another output file.")
        }
    }

    /// A model whose weights stay in the file from which they are mapped.
    package static func subject(_ model: ONNXModel, name: String) throws -> ModelCheck.Subject {
        try ModelToolsError.wrapping(doing: "check the model") {
            ModelCheck.Subject(.bytes(try ONNXFile.skeleton(model)), name: name, weightsFolder: "/")
        }
    }
}

extension ModelToolsError {
    /// Runs `body`, and adds the operation to its error.
    package static func wrapping<Result>(
        doing: String, _ code: ApusError.Code = .model, _ body: () throws -> Result
    ) throws(ApusError) -> Result {
        do {
            return try body()
        } catch let error as ApusError {
            throw error
        } catch let error as ModelToolsError {
            throw ApusError(
                error.code == .option ? .option : code, doing: doing, cause: error.cause, remedy: error.remedy,
                underlying: error)
        } catch {
            throw ApusError(code, doing: doing, cause: "\(error)")
        }
    }
}

extension ModelCheck {
    /// Runs the model in `staged` as read from the file, and compares its outputs with the expected ones.
    fileprivate func report(
        on staged: String, of path: String, expected: Expectation, doing: String
    ) throws -> Report {
        let saved = try ModelToolsError.wrapping(doing: "read \(path) again") { try ONNXFile.read(staged) }
        let report = try compare(CheckedModel.subject(saved, name: path), with: expected)
        guard report.isWithin else {
            throw ApusError(
                .verification, doing: doing,
                cause: "its outputs differ from those of its source:\n"
                    + report.differences.filter { !$0.isWithin }.map(\.description).joined(separator: "\n"),
                remedy:
                    "The model was not kept. To keep it anyway, skip the check: \(setting: .noCheck).")
        }
        return report
    }
}
