import Foundation
import ONNX
import TestSupport
import Testing

@Suite struct ModelStructureTests {
    private func call(_ function: String, _ input: String, _ output: String) -> Node {
        var node = Node(function, inputs: [input], outputs: [output])
        node.domain = "f"
        return node
    }

    private func function(_ name: String, _ nodes: [Node]) -> Function {
        var function = Function()
        (function.domain, function.name, function.inputs, function.outputs) = ("f", name, ["x"], ["y"])
        (function.nodes, function.opsets) = (nodes, [("", 17), ("f", 1)])
        return function
    }

    private func model(_ nodes: [Node], functions: [Function] = []) -> ONNXModel {
        var model = ONNXModel()
        model.opsets = [("", 17), ("f", 1)]
        model.graph.name = "g"
        model.graph.nodes = nodes
        model.graph.inputs = [ValueDeclaration(name: "x", type: .tensor(.float32, [.named("a")]))]
        model.graph.outputs = [ValueDeclaration(name: "y", type: .tensor(.float32, [.named("a")]))]
        model.functions = functions
        return model
    }

    private func structure(_ model: ONNXModel, _ limits: ModelStructure.Limits = .init()) throws -> ModelStructure {
        try ModelStructure(Bytes(ONNXFile.skeleton(model)), limits: limits)
    }

    private func relu(_ input: String, _ output: String) -> Node {
        Node("Relu", inputs: [input], outputs: [output])
    }

    @Test(arguments: HostileModels.names) func aHostileModelIsAnErrorWithARemedy(name: String) throws {
        let error = #expect(throws: ModelFileError.self) { try ModelStructure.check(file: HostileModels.path(name)) }
        #expect(error?.cause.contains(HostileModels.cause(name)) == true, "\(error?.cause ?? "")")
        #expect(error?.remedy != nil)
    }

    /// Every model that the tests know passes.
    @Test func soundModelsPass() throws {
        for folder in ["models", "conversion", "checkpoints"] {
            let names = try FileManager.default.contentsOfDirectory(atPath: Fixtures.path(folder))
            for name in names where name.hasSuffix(".onnx") {
                let path = Fixtures.path("\(folder)/\(name)")
                let structure = try ModelStructure(Bytes(mapping: path))
                #expect(structure.externalFiles == (try ONNXModel(Bytes(mapping: path))).externalFilesForTest)
            }
        }
    }

    @Test func functionsMayBeNestedAsDeepAsTheLimitAndNoDeeper() throws {
        func chain(_ length: Int) -> [Function] {
            (0..<length).map { index in
                function("F\(index)", [index + 1 < length ? call("F\(index + 1)", "x", "y") : relu("x", "y")])
            }
        }
        #expect(throws: Never.self) { try structure(model([call("F0", "x", "y")], functions: chain(64))) }
        for length in [65, 5000] {
            let error = #expect(throws: ModelFileError.self) {
                try structure(model([call("F0", "x", "y")], functions: chain(length)))
            }
            #expect(error?.cause.contains("is nested more than 64 functions deep") == true)
        }
    }

    @Test func functionsAreCountedAsOftenAsTheyAreCalled() throws {
        var limits = ModelStructure.Limits()
        limits.expandedNodes = 30
        let functions = [function("A", (0..<10).map { relu("x", "t\($0)") })]
        func calls(_ count: Int) -> ONNXModel {
            model((0..<count).map { call("A", "x", "y\($0)") }, functions: functions)
        }
        #expect(throws: Never.self) { try structure(calls(3), limits) }
        let error = #expect(throws: ModelFileError.self) { try structure(calls(4), limits) }
        #expect(error?.cause.contains("30 nodes") == true)
    }

    /// Protocol Buffers merge the parts of a graph that is given twice: a function may call itself in either.
    @Test func aRepeatedGraphCountsWhole() throws {
        let first = try ONNXFile.skeleton(model([relu("x", "y")]))
        let second = try ONNXFile.skeleton(
            model([call("A", "x", "y")], functions: [function("A", [call("A", "x", "y")])]))
        for bytes in [first + second, second + first] {
            let error = #expect(throws: ModelFileError.self) { try ModelStructure(Bytes(bytes)) }
            #expect(error?.cause.contains("calls itself") == true)
        }
    }

    @Test func aMillionDimensionsAreAShortError() throws {
        let shape = [Int](repeating: 1, count: 1_000_000)
        var wide = model([relu("x", "y")])
        wide.graph.inputs[0].type = .tensor(.float32, shape.map { .fixed($0) })
        var heavy = model([relu("x", "y")])
        heavy.graph.initializers = [ONNXTensor(name: "w", floats: [1], shape: shape)]
        for model in [wide, heavy] {
            let error = #expect(throws: ModelFileError.self) { try structure(model) }
            #expect(error?.cause.contains("has 1000000 dimensions; the limit is 64") == true)
            #expect(error.map { $0.description.utf8.count < 300 } == true)
        }
    }

    @Test func aLongNameIsShortenedInAnError() throws {
        var long = model([relu("x", "y")])
        let name = String(repeating: "n", count: 2_000_000)
        long.graph.initializers = [ONNXTensor(name: name, type: .float32, shape: [-1], payload: .raw(Bytes([])))]
        for read in [{ _ = try ModelStructure($0) }, { _ = try ONNXModel($0) }] as [(Bytes) throws -> Void] {
            let error = #expect(throws: ModelFileError.self) { try read(Bytes(ONNXFile.skeleton(long))) }
            #expect(error.map { $0.description.utf8.count < 1000 } == true)
        }
    }

    @Test func theRuntimesOwnFormatIsNamed() {
        let bytes = Bytes([0x0A, 4, 0, 0] + Array("ORTM".utf8) + [0, 0])
        let error = #expect(throws: ModelFileError.self) { try ModelStructure(bytes) }
        #expect(error?.cause == "it is in ONNX Runtime's own format, ORT")
    }

    /// The structure of a model is a matter of its nodes: weights are skipped.
    @Test func weightsCostNothing() throws {
        let folder = try TemporaryFolder()
        let size = 200_000_000
        for bytes in [size / 4, size] {
            var large = model([relu("x", "y")])
            large.graph.initializers = [
                ONNXTensor(
                    name: "w", type: .uint8, shape: [bytes],
                    payload: .computed(byteCount: bytes) { [UInt8](repeating: 0, count: bytes) })
            ]
            try ONNXFile.write(large, to: folder.path("\(bytes).onnx"))
        }
        let growth = try CPUTime.growth(to: size) { try ModelStructure.check(file: folder.path("\($0).onnx")) }
        #expect(growth < 2.5)  // 4, if they were read
    }
}

extension ONNXModel {
    /// By the reader that builds the whole model.
    fileprivate var externalFilesForTest: [String] {
        let locations = graph.initializers.compactMap { tensor -> String? in
            if case .external(let location, _, _) = tensor.payload { location } else { nil }
        }
        return Set(locations).sorted()
    }
}
