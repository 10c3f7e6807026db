import Foundation
import ModelTools
import ONNX
import Testing

/// Operators whose types do not follow from their inputs stay as they are: what is written always type-checks.
@Suite struct PrecisionTypesTests {
    private func model(
        _ nodes: [Node], inputs: [String], outputs: [(name: String, type: DataType)], opset: Int
    ) -> ONNXModel {
        var model = ONNXModel()
        model.opsets = [("", opset)]
        model.graph.name = "g"
        model.graph.nodes = nodes
        model.graph.inputs = inputs.map { ValueDeclaration(name: $0, type: .tensor(.float32, nil)) }
        model.graph.outputs = outputs.map { ValueDeclaration(name: $0.name, type: .tensor($0.type, nil)) }
        return model
    }

    private func convert(_ model: ONNXModel) throws -> (model: ONNXModel, report: PrecisionReport) {
        try PrecisionConverter.convert(model, PrecisionOptions())
    }

    private func types(_ values: [ValueDeclaration]) -> [ValueType?] { values.map(\.type) }

    private let f32 = ValueType.tensor(.float32, nil)

    @Test func bitsAreThoseOfTheValuesAsTheyWere() throws {
        let bits = Node("BitCast", inputs: ["r"], outputs: ["b"], attributes: [Attribute("to", .int(6))])
        let source = model(
            [Node("Relu", inputs: ["x"], outputs: ["r"]), bits], inputs: ["x"], outputs: [("b", .int32)], opset: 26)
        let (result, report) = try convert(source)
        // What computes them stays too: other rounding is other bits.
        #expect(result.graph.nodes.map(\.operation) == ["Relu", "BitCast"])
        #expect(types(result.graph.inputs) == [f32])
        #expect(Set(report.kept.map(\.operation)) == ["Relu", "BitCast"])
        #expect(report.kept.allSatisfy { $0.reason == "it works on the bits of its values" })
    }

    @Test func whatIsMadeOfBitsStaysFloat() throws {
        let bits = Node("BitCast", inputs: ["i"], outputs: ["f"], attributes: [Attribute("to", .int(1))])
        var source = model(
            [bits, Node("Mul", inputs: ["f", "x"], outputs: ["y"])], inputs: ["i", "x"], outputs: [("y", .float32)],
            opset: 26)
        source.graph.inputs[0].type = .tensor(.int32, nil)
        let (result, report) = try convert(source)
        #expect(Set(report.kept.map(\.operation)) == ["BitCast", "Mul"])
        #expect(types(result.graph.outputs) == [f32])
    }

    /// Its state's type is that of an input which may be left out.
    @Test func anOutputWhoseTypeNoInputGivesKeepsItsOperator() throws {
        let heads = [Attribute("q_num_heads", .int(2)), Attribute("kv_num_heads", .int(2))]
        let node = Node("LinearAttention", inputs: ["q", "k", "v"], outputs: ["y", "state"], attributes: heads)
        let source = model(
            [node], inputs: ["q", "k", "v"], outputs: [("y", .float32), ("state", .float32)], opset: 27)
        let (result, report) = try convert(source)
        #expect(types(result.graph.inputs) == [f32, f32, f32] && types(result.graph.outputs) == [f32, f32])
        #expect(result.graph.nodes.map(\.operation) == ["LinearAttention"])
        #expect(report.kept.first?.reason == "ONNX does not define its output type for its inputs")
    }

    @Test(arguments: ["", "com.microsoft", "somebody.else"])
    func anUnknownOperatorKeepsItsTypes(domain: String) throws {
        var unknown = Node("NotYetThere", inputs: ["x"], outputs: ["u"])
        unknown.domain = domain
        var source = model(
            [unknown, Node("MatMul", inputs: ["u", "x"], outputs: ["y"])], inputs: ["x"], outputs: [("y", .float32)],
            opset: 27)
        source.opsets.append((domain, 27))
        source.graph.values = [ValueDeclaration(name: "u", type: f32)]
        let (result, report) = try convert(source)
        let nodes = result.graph.nodes
        let index = try #require(nodes.firstIndex { $0.operation == "NotYetThere" })
        // It takes the model's f32 input, or a Cast to f32.
        let input = nodes[index].inputs[0]
        let cast = nodes.first { $0.outputs == [input] }
        #expect(cast == nil || cast?.attribute("to").map { "\($0.value)" } == "int(1)")
        #expect(cast != nil || types(result.graph.inputs) == [f32])
        #expect(report.kept.contains { $0.operation == "NotYetThere" })
    }
}
