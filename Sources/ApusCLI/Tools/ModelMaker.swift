import Apus
import Foundation
import ModelTools
import ONNX
import ONNXRuntime
import Remedies

/// Writes a model that was made of something else, and checks it against that.
struct ModelMaker {
    /// The model that was written, and what there is to say of it.
    struct Made {
        var model: ONNXModel
        var written: ONNXFile.Written
        var check: ModelCheck.Report?
        var writing: Duration
        var checking: Duration?
    }

    /// Writes `model` to `path`; runs it and what it was made of, unless the check is left out. A model that fails is
    /// removed, and what was at `path` before stays.
    static func write(
        _ model: ONNXModel, to path: String, doing: String, tolerance: ModelCheck.Tolerance, options: CheckOptions,
        reference: @escaping @Sendable () throws -> ModelCheck.Subject
    ) async throws -> Made {
        let clock = ContinuousClock()
        let start = clock.now
        let runtime = options.runtime.runtime
        let check = options.check ? try ModelCheck(runtime: runtime, tolerance: tolerance) : nil
        // What is expected is computed beside the writing, on a thread of its own.
        async let expectation = RunCancellation.detached { _ in
            try check.map { try $0.expectation(of: reference()) }
        }
        let staged = try check == nil ? path : stagingPath(of: path)
        var progress = ByteProgress("writing")
        let written = try ModelToolsError.wrapping(doing: "write \(path)") {
            try ONNXFile.write(model, to: staged, dataPath: path + ".data") { progress.show($0, of: $1) }
        }
        progress.clear()
        var made = Made(model: model, written: written, writing: clock.now - start)
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
                        + report.differences.filter { !$0.isWithin }.map(ModelReport.text).joined(separator: "\n"),
                    remedy: "The model was not kept. To look at it all the same, use --no-check.")
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
                + "The model was not kept. To leave the check out, use \(setting: .noCheck)."
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
                remedy: "Write it to a file, or leave the check out: --no-check")
        }
        return target + ".unchecked-\(getpid())"
    }

    /// Refuses to put a model in the place of what it is made of.
    static func check(_ output: String, isNot input: String, doing: String) throws(ApusError) {
        func resolved(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }
        guard resolved(output) != resolved(input) else {
            throw ApusError(
                .option, doing: doing, cause: "the new model would take the place of what it is made of",
                remedy: "Name another file: -o")
        }
    }

    /// A model whose weights stay in the file that they are mapped from.
    static func subject(_ model: ONNXModel, name: String) throws -> ModelCheck.Subject {
        try ModelToolsError.wrapping(doing: "check the model") {
            ModelCheck.Subject(.bytes(try ONNXFile.skeleton(model)), name: name, weightsFolder: "/")
        }
    }
}

extension ModelToolsError {
    /// Runs `body`, and says what was being done if it fails.
    static func wrapping<Result>(
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
