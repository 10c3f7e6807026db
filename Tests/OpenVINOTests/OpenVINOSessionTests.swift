import Engine
import Foundation
import ONNX
import ONNXRuntime
import TestSupport
import Testing

@testable import OpenVINO

@Suite(.enabled(if: TestOpenVINO.isWanted, "needs APUS_TEST_ENGINE=openvino")) struct OpenVINOSessionTests {
    private func options(_ precision: ComputePrecision = .f32) -> SessionOptions {
        SessionOptions(.openVINO(device: "CPU", precision: precision))
    }

    private func session(_ name: String, _ options: SessionOptions? = nil) throws -> any EngineSession {
        try TestOpenVINO.engine().makeSession(
            of: .file(Fixtures.path("models/\(name).onnx")), options: options ?? self.options())
    }

    /// The same numbers every time, from -1 to 1.
    private func tensor(_ shape: [Int]) throws -> Tensor {
        var state: UInt64 = 42
        return try Tensor(
            shape: shape,
            scalars: (0..<shape.reduce(1, *)).map { _ -> Float in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Float(Int64(state >> 33)) / Float(1 << 30) - 1
            })
    }

    @Test func aModelIsDescribedAsItsFileDeclaresIt() throws {
        let session = try session("detector_metadata")
        #expect(session.inputs.map(\.description).joined(separator: "; ").contains("[batch, 3, height, width]"))
        #expect(session.outputs.map(\.name) == ["pred_logits", "pred_boxes"])
        #expect(!session.metadata.isEmpty && session.openVINODevice == "CPU" && session.nodes == nil)
    }

    @Test(arguments: ["detector_f32", "detector_static", "detector_batch2", "linear"])
    func resultsEqualThoseOfONNXRuntimesKernels(name: String) throws {
        let session = try session(name)
        let reference = try Runtime.load(RuntimeSearch.find()).makeSession(
            of: .file(Fixtures.path("models/\(name).onnx")), options: SessionOptions(.ownKernels))
        #expect(session.inputs.map(\.name) == reference.inputs.map(\.name))
        #expect(session.outputs.map(\.name) == reference.outputs.map(\.name))
        let inputs = try Dictionary(
            uniqueKeysWithValues: session.inputs.map { input in
                let shape = input.dimensions.enumerated().map { index, dimension in
                    dimension.size ?? (index == 0 ? 1 : 64)
                }
                return (input.name, try tensor(shape))
            })
        let (found, expected) = (try session.run(inputs), try reference.run(inputs))
        for (output, value) in expected {
            let (mine, theirs): ([Float], [Float]) = (try #require(found[output]).elements(), try value.elements())
            #expect(found[output]?.shape == value.shape)
            let largest = theirs.map(abs).max() ?? 0
            #expect(zip(mine, theirs).allSatisfy { abs($0 - $1) <= 1e-3 * largest }, "\(output)")
        }
    }

    @Test func weightsOutsideTheFileAreRead() throws {
        let session = try TestOpenVINO.engine().makeSession(
            of: .file(Fixtures.path("conversion/external.onnx")), options: options())
        #expect(session.outputs.map(\.name) == ["y"])
    }

    @Test func namedDimensionsAreFixed() throws {
        var options = options()
        options.dimensions = ["batch": 1, "height": 64, "width": 96]
        let session = try session("detector_metadata", options)
        #expect(session.inputs[0].dimensions == [.fixed(1), .fixed(3), .fixed(64), .fixed(96)])
        #expect(throws: EngineError.self) { try session.run([session.inputs[0].name: tensor([1, 3, 64, 64])]) }
        #expect(try session.run([session.inputs[0].name: tensor([1, 3, 64, 96])]).count == 2)
    }

    @Test func aModelInMemoryIsTheSame() throws {
        let bytes = try Fixtures.bytes("models/detector_f32.onnx")
        let session = try TestOpenVINO.engine().makeSession(of: .bytes(bytes), options: options())
        let file = try self.session("detector_f32")
        #expect(session.inputs == file.inputs && session.outputs == file.outputs)
        let inputs = [session.inputs[0].name: try tensor([1, 3, 64, 64])]
        let (memory, disk) = (try session.run(inputs), try file.run(inputs))
        for name in session.outputs.map(\.name) {
            let (a, b): ([Float], [Float]) = (
                try #require(memory[name]).elements(), try #require(disk[name]).elements()
            )
            #expect(a == b)
        }
    }

    @Test func manyTasksRunAtOnceWithResultsOfTheirOwn() async throws {
        let session = try session("detector_f32")
        let name = session.inputs[0].name
        let sizes = [32, 48, 64, 96]
        let expected = try sizes.map { size -> [Float] in
            try #require(try session.run([name: tensor([1, 3, size, size])])["pred_logits"]).elements()
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<32 {
                group.addTask {
                    for run in 0..<10 {
                        let index = (task + run) % sizes.count
                        let input = try self.tensor([1, 3, sizes[index], sizes[index]])
                        let found: [Float] = try #require(try await session.run([name: input])["pred_logits"])
                            .elements()
                        #expect(found == expected[index])
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func aCancelledRunThrowsAndTheNextOneWorks() throws {
        let session = try session("detector_f32")
        let inputs = [session.inputs[0].name: try tensor([1, 3, 64, 64])]
        let cancellation = RunCancellation()
        cancellation.cancel()
        let error = #expect(throws: EngineError.self) {
            try session.run(inputs, outputs: nil, cancellation: cancellation)
        }
        #expect(error?.code == .cancelled)
        #expect(try session.run(inputs).count == 2)
    }

    @Test func layersStateThePrecisionThatTheyRanIn() throws {
        var options = options()
        options.reportsLayers = true
        let session = try #require(try session("detector_f32", options) as? OpenVINOSession)
        #expect(throws: EngineError.self) { try session.layers() }
        _ = try session.run([session.inputs[0].name: tensor([1, 3, 64, 64])])
        let layers = try session.layers()
        #expect(layers.contains { $0.precision == "f32" } && !layers.contains { $0.precision == "bf16" })
        #expect(session.property("INFERENCE_PRECISION_HINT") == "f32")
    }

    @Test(arguments: [
        ("brgconv_avx512_bf16", "bf16"), ("jit_avx2_f32", "f32"), ("ref_any_i32", "i32"), ("jit_avx2_I8", "i8"),
        ("unknown_FP32", nil), ("undef", nil), ("", nil),
    ]) func thePrecisionIsTheLastPartOfTheImplementation(implementation: String, precision: String?) {
        let layer = ExecutedLayer(name: "", type: "", implementation: implementation, microseconds: 0)
        #expect(layer.precision == precision)
    }
}
