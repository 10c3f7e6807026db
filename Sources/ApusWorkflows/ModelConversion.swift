internal import Apus
package import ModelTools
internal import ONNX

/// Converts a model file to another precision, for `apus convert`.
package struct ModelConversion: Sendable {
    package struct Result: Sendable {
        package var report: PrecisionReport
        package var made: CheckedModel
        package var building: Duration
    }

    package var model: String
    package var output: String
    package var options: PrecisionOptions
    package var check: CheckPolicy

    package init(model: String, output: String, options: PrecisionOptions, check: CheckPolicy) {
        self.model = model
        self.output = output
        self.options = options
        self.check = check
    }

    /// - Throws: `ApusError`. No file is left behind then.
    package func run(observer: WorkflowObserver = { _ in }) async throws -> Result {
        let doing = "convert \(model)"
        try CheckedModel.check(output, isNot: model, doing: doing)
        let clock = ContinuousClock()
        let start = clock.now
        let source = try ModelToolsError.wrapping(doing: "read the model \(model)") { try ONNXFile.read(model) }
        let (result, report) = try ModelToolsError.wrapping(doing: doing) {
            let (result, report) = try PrecisionConverter.convert(source, options)
            return (result, report)
        }
        let building = clock.now - start
        let made = try await CheckedModel.write(
            result, to: output, doing: doing, tolerance: options.target == .bf16Safe ? .f32 : .f16, policy: check,
            observer: observer
        ) { [model] in
            // The old model's declarations of intermediate values may be wrong, and aren't needed to run it.
            var bare = source
            bare.graph.values = []
            return try CheckedModel.subject(bare, name: model)
        }
        return Result(report: report, made: made, building: building)
    }
}
