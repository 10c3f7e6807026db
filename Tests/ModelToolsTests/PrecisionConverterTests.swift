import Apus
import ApusWorkflows
import Engine
import Foundation
import ModelTools
import ONNX
import TestSupport
import Testing

@Suite struct PrecisionConverterTests {
    private func convert(
        _ name: String, _ change: (inout PrecisionOptions) -> Void = { _ in }
    ) throws -> (source: ONNXModel, result: ONNXModel, report: PrecisionReport) {
        let source = try ONNXFile.read(Fixtures.path("conversion/\(name).onnx"))
        var options = PrecisionOptions()
        change(&options)
        let (result, report) = try PrecisionConverter.convert(source, options)
        return (source, result, report)
    }

    private func kept(_ report: PrecisionReport) -> Set<String> { Set(report.kept.map(\.operation)) }

    /// Each converts, loads and gives the answers of the model that it was made of.
    @Test(
        .enabled(if: TestRuntime.isWanted),
        arguments: [
            "captured", "constants", "external", "function", "if", "layernorm", "loop", "mask", "scan", "sequence",
            "shapes",
            "sine", "stale",
        ], PrecisionTarget.allCases)
    func everyKindOfModelConvertsRight(name: String, target: PrecisionTarget) throws {
        // Declarations of values in between may be wrong in the source, and stay where only weights change.
        var (source, result, _) = try convert(name) { $0.target = target }
        source.graph.values = []
        if target != .f16 { result.graph.values = [] }
        let check = try ModelCheck(runtime: nil, tolerance: .f16)
        func subject(_ model: ONNXModel) throws -> ModelCheck.Subject {
            ModelCheck.Subject(.bytes(try ONNXFile.skeleton(model)), name: name, weightsFolder: "/")
        }
        let report = try check.compare(subject(result), with: check.expectation(of: subject(source)))
        #expect(!report.differences.isEmpty)
        for difference in report.differences {
            #expect(difference.scale > 0.01 && difference.largest <= 0.01 * difference.scale, "\(difference)")
        }
    }

    @Test func inputsOutputsAndWeightsBecomeHalfUnlessKept() throws {
        let (_, half, _) = try convert("external")
        #expect(ModelSummary.text(half.graph.inputs[0]) == "x f16 [2, 32]")
        #expect(ModelSummary.text(half.graph.outputs[0]) == "y f16 [2, 32]")
        #expect(half.graph.initializers[0].type == .float16)
        let (_, kept, report) = try convert("external") { $0.keepsIO = true }
        #expect(ModelSummary.text(kept.graph.inputs[0]) == "x f32 [2, 32]")
        #expect(ModelSummary.text(kept.graph.outputs[0]) == "y f32 [2, 32]")
        #expect(kept.graph.nodes.map(\.operation) == ["Cast", "MatMul", "Relu", "Cast"])
        #expect(report.casts == 2)
    }

    @Test func valuesBeyondHalfKeepTheirNodesAndAreNeverClamped() throws {
        let (_, result, report) = try convert("constants")
        #expect(report.kept.contains { $0.node == "Mul big" && $0.reason.contains("exceeds f16's maximum, 65504") })
        #expect(report.kept.contains { $0.node == "Add v" && $0.reason.contains("would become zero") })
        let huge = try #require(result.graph.initializers.first { $0.name == "huge" })
        #expect(huge.type == .float32)
    }

    @Test func aTensorIsCastOnceHoweverManyWantIt() throws {
        let (_, result, _) = try convert("layernorm")
        let casts = result.graph.nodes.filter { $0.operation == "Cast" && $0.inputs == ["d"] }
        let cast = try #require(casts.first)
        #expect(casts.count == 1)
        #expect(result.graph.nodes.count { $0.inputs.contains(cast.outputs[0]) } == 2)
    }

    @Test func overflowProneIslandsMasksAndPositionsStay() throws {
        #expect(kept(try convert("layernorm").report) == ["Pow", "ReduceMean", "Add", "Sqrt", "Div"])
        #expect(kept(try convert("mask").report) == ["Mul", "Add", "Softmax", "Where"])
        #expect(kept(try convert("sine").report).isSuperset(of: ["Cast", "CumSum", "Div", "Mul", "Sin", "Cos"]))
        #expect(kept(try convert("shapes").report) == ["Cast", "Mul", "Floor"])
    }

    @Test func theScalesOfResizeStayFloat() throws {
        let (_, result, _) = try convert("shapes")
        #expect(result.graph.initializers.first { $0.name == "scales" }?.type == .float32)
        #expect(result.graph.nodes.last { $0.operation == "Resize" }?.inputs[2] == "scales")
    }

    @Test func operatorsAndNodesCanBeBlocked() throws {
        let byOperator = try convert("external") { $0.blockedOperators = ["MatMul"] }
        #expect(byOperator.report.kept.map(\.node) == ["MatMul t"])
        #expect(byOperator.result.graph.initializers[0].type == .float32)
        for pattern in ["t", "t*"] {
            let byNode = try convert("external") { $0.blockedNodes = [pattern] }
            #expect(byNode.report.kept.map(\.reason) == ["you blocked this node"])
        }
    }

    @Test func functionsAreWrittenOut() throws {
        let (_, result, _) = try convert("function")
        #expect(result.functions.isEmpty)
        #expect(result.graph.nodes.filter { $0.operation == "MatMul" }.count == 2)
    }

    @Test func declarationsThatLieAreNotBelieved() throws {
        let (_, result, _) = try convert("stale")
        #expect(result.graph.values.map { ModelSummary.text($0) } == ["t f16 [4, 4]"])
    }

    @Test func anOperatorWhoseTypesNobodyKnowsIsRefused() {
        let error = #expect(throws: ModelToolsError.self) { try convert("custom") }
        #expect(error?.code == .types)
        #expect(error?.cause.contains("com.example.Frobnicate u cannot be determined") == true)
    }

    @Test func weightsAloneAreStoredAsHalf() throws {
        let (_, result, report) = try convert("external") { $0.target = .f16Weights }
        #expect(report.convertedWeights == 1)
        #expect(result.graph.nodes.map(\.operation) == ["Cast", "MatMul", "Relu"])
        #expect(ModelSummary.text(result.graph.inputs[0]) == "x f32 [2, 32]")
    }

    /// The usual traced export: the usual converter makes a model of it that does not load, OpenVINO's bf16 fails on it.
    @Test(.enabled(if: TestRuntime.isWanted), arguments: PrecisionTarget.allCases)
    func theTracedExportConvertsAndLoadsEverywhere(target: PrecisionTarget) throws {
        let source = try ONNXFile.read(Fixtures.path("checkpoints/tiny-bottleneck.traced-opset12.onnx"))
        var options = PrecisionOptions()
        options.target = target
        options.keepsIO = true
        let result = try PrecisionConverter.convert(source, options).model
        let images = try NPY(contentsOf: Fixtures.url("checkpoints/tiny-bottleneck.single_images.npy"))
        let inputs = ["inputs": try Tensor(shape: images.shape, scalars: images.values)]
        let golden = try NPY(contentsOf: Fixtures.url("checkpoints/tiny-bottleneck.single_boxes.npy")).values
        for provider in [ExecutionTarget.ownKernels, .openVINOCPU] {
            let boxes: [Float] = try result.session(provider).run(inputs)["pred_boxes"]?.elements() ?? []
            let difference = zip(boxes, golden).map { abs($0 - $1) }.max() ?? .infinity
            #expect(boxes.count == golden.count && difference < 0.15, "\(provider): \(difference)")
        }
    }

    @Test(.enabled(if: TestRuntime.isWanted)) func openVINORunsTheBF16SafeTracedExportAtBF16() throws {
        let source = try ONNXFile.read(Fixtures.path("checkpoints/tiny-bottleneck.traced-opset12.onnx"))
        var options = PrecisionOptions()
        options.target = .bf16Safe
        let (result, report) = try PrecisionConverter.convert(source, options)
        #expect(report.convertedNodes == 6)
        let images = try NPY(contentsOf: Fixtures.url("checkpoints/tiny-bottleneck.single_images.npy"))
        let inputs = ["inputs": try Tensor(shape: images.shape, scalars: images.values)]
        let bf16 = ExecutionTarget.openVINO(device: "CPU", precision: .bf16)
        #expect(try result.session(bf16).run(inputs)["pred_boxes"]?.count == 48)
    }
}
