package import Apus
internal import Engine
internal import Foundation
internal import ModelTools
package import ONNX
internal import Remedies

/// Whether a new model is run next to what it was made of.
package enum CheckPolicy: Sendable {
    case none
    /// With ONNX Runtime in this folder; nil searches the usual places.
    case run(runtime: String?)
}

/// A model that was written, and checked against what it was made of.
package struct CheckedModel: Sendable {
    package var model: ONNXModel
    package var written: ONNXFile.Written
    /// Nil if the check was left out.
    package var check: ModelCheck.Report?
    package var writing: Duration
    package var checking: Duration?

    /// Writes `model` to `path`; runs it and what it was made of, unless the check is left out. A model that fails is
    /// removed, and what was at `path` before stays.
    package static func write(
        _ model: ONNXModel, to path: String, doing: String, tolerance: ModelCheck.Tolerance, policy: CheckPolicy,
        observer: WorkflowObserver, reference: @escaping @Sendable () throws -> ModelCheck.Subject
    ) async throws -> CheckedModel {
        let clock = ContinuousClock()
        let start = clock.now
        let check: ModelCheck? =
            if case .run(let runtime) = policy { try ModelCheck(runtime: runtime, tolerance: tolerance) } else { nil }
        // What is expected is computed beside the writing, on a thread of its own.
        async let expectation = RunCancellation.detached { _ in
            try check.map { try $0.expectation(of: reference()) }
        }
        let staged = try check == nil ? path : stagingPath(of: path)
        let step = "writing"
        let written = try ModelToolsError.wrapping(doing: "write \(path)") {
            try ONNXFile.write(model, to: staged, dataPath: path + ".data") {
                observer(.progress(step: step, done: $0, total: $1))
            }
        }
        observer(.finished(step: step))
        var made = CheckedModel(model: model, written: written, writing: clock.now - start)
        guard let check else { return made }
        do {
            guard let expected = try await expectation else { return made }
            // What is checked is what the file says.
            let saved = try ModelToolsError.wrapping(doing: "read \(path) again") { try ONNXFile.read(staged) }
            let report = try check.compare(subject(saved, name: path), with: expected)
            guard report.isWithin else {
                throw ApusError(
                    .verification, doing: doing,
                    cause: "its answers are not those of what it was made of:\n"
                        + report.differences.filter { !$0.isWithin }.map(\.description).joined(separator: "\n"),
                    remedy:
                        "The model was not kept. To look at it all the same, run without the check: \(setting: .noCheck)."
                )
            }
            made.check = report
            guard rename(staged, path) == 0 else {
                throw ApusError(
                    .option, doing: "write \(path)", cause: String(cString: strerror(errno)),
                    remedy: "See that you may write there.")
            }
        } catch {
            for file in [staged, written.dataPath].compactMap({ $0 }) {
                try? FileManager.default.removeItem(atPath: file)
            }
            guard let error = error as? ApusError, error.code != .verification else { throw error }
            var explained = error
            explained.advice =
                (error.advice.map { $0 + "\n" } ?? "")
                + "The model was not kept. To run without the check: \(setting: .noCheck)."
            throw explained
        }
        made.checking = clock.now - start - made.writing
        return made
    }

    /// Where a model waits for its check.
    private static func stagingPath(of path: String) throws(ApusError) -> String {
        let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        let type = (try? FileManager.default.attributesOfItem(atPath: target))?[.type] as? FileAttributeType
        guard type == nil || type == .typeRegular else {
            throw ApusError(
                .option, doing: "write \(path)",
                cause: "it is no regular file, so the model could not be checked there",
                remedy: "Write it to a file, or run without the check: \(setting: .noCheck)")
        }
        return target + ".unchecked-\(getpid())"
    }

    /// Refuses to put a model in the place of what it is made of.
    package static func check(_ output: String, isNot input: String, doing: String) throws(ApusError) {
        func resolved(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }
        guard resolved(output) != resolved(input) else {
            throw ApusError(
                .option, doing: doing, cause: "the output would overwrite its input",
                remedy: "Choose another output file.")
        }
    }

    /// A model whose weights stay in the file that they are mapped from.
    package static func subject(_ model: ONNXModel, name: String) throws -> ModelCheck.Subject {
        try ModelToolsError.wrapping(doing: "check the model") {
            ModelCheck.Subject(.bytes(try ONNXFile.skeleton(model)), name: name, weightsFolder: "/")
        }
    }
}

extension ModelToolsError {
    /// Runs `body`, and says what was being done if it fails.
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
