import Foundation
import ModelTools
import ONNX
import TestSupport
import Testing

/// Files whose parts are many, in each of the ways in which reading them could take time quadratic in their number.
@Suite struct LinearTimeTests {
    private func text(_ text: String) -> [UInt8] {
        [0x58] + StoredZip.little(UInt32(text.utf8.count)) + Array(text.utf8)
    }

    private func number(_ value: Int) -> [UInt8] { [0x4A] + StoredZip.little(UInt32(truncatingIfNeeded: value)) }

    private func global(_ name: String) -> [UInt8] { Array("c\(name)\n".utf8) }

    private func storage(_ key: String) -> [UInt8] {
        [0x28] + text("storage") + global("torch\nFloatStorage") + text(key) + text("cpu") + number(4) + [0x74, 0x51]
    }

    /// Of four elements. Its own marks are above all that was put on the stack before.
    private func tensor(_ key: String) -> [UInt8] {
        global("torch._utils\n_rebuild_tensor_v2") + [0x28] + storage(key) + number(0) + number(4) + [0x85]
            + number(1) + [0x85, 0x89, 0x4E, 0x74, 0x52]
    }

    private func zip(_ pickle: [UInt8]) -> Bytes {
        Bytes(StoredZip.bytes(["a/data.pkl": pickle, "a/data/0": [UInt8](repeating: 0, count: 16)]))
    }

    private func pickle(_ content: [UInt8]) -> [UInt8] { [0x80, 2] + content + [0x2E] }

    private let count = 20_000
    /// Between what is linear (4) and what is quadratic (16).
    private let limit = 9.0

    @Test func manyTensorsUnderOneMark() throws {
        let growth = try CPUTime.growth(to: count) { count in
            let file = zip(pickle([0x7D, 0x28] + (0..<count).flatMap { text("w\($0)") + tensor("0") } + [0x75]))
            let tensors = try Checkpoint(bytes: file, name: "x.pth").tensors.count
            #expect(tensors == count)
        }
        #expect(growth < limit)
    }

    /// APPENDS, a tuple and persistent ids, with every value on the stack at once.
    @Test(arguments: [[0x5D, 0x28], [0x28]] as [[UInt8]]) func manyValuesThatWaitOnTheStack(start: [UInt8]) throws {
        let end: [UInt8] = start.count == 2 ? [0x65] : [0x74]
        let growth = CPUTime.growth(to: 2 * count) { count in
            let file = zip(pickle(start + (0..<count).flatMap { storage("\($0)") } + end))
            _ = try? Checkpoint(bytes: file, name: "x.pth")
        }
        #expect(growth < limit)
    }

    private func repeated(_ part: [UInt8], _ count: Int) -> [UInt8] {
        [[UInt8]](repeating: part, count: count).flatMap { $0 }
    }

    @Test func marksInMarksMemosAndStates() {
        let state = global("collections\nOrderedDict") + [0x29, 0x52, 0x68, 0, 0x62, 0x30]
        let contents: [(Int) -> [UInt8]] = [
            { repeated([0x28], 20 * $0) + repeated([0x74], 20 * $0) },
            { [0x28] + repeated([0x4E, 0x94], 20 * $0) + [0x74] },
            {
                let dict = [0x7D, 0x71, 0, 0x28] + repeated(number(1) + [0x4E], 5 * $0) + [0x75, 0x30]
                return dict + repeated(state, $0 / 4) + [0x4E]
            },
        ]
        for content in contents {
            let growth = CPUTime.growth(to: count) {
                _ = try? Checkpoint(bytes: zip(pickle(content($0))), name: "x.pth")
            }
            #expect(growth < limit)
        }
    }

    @Test func manyTensorsInTheLegacyFormat() throws {
        let magic: [UInt8] = [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E]
        let growth = try CPUTime.growth(to: count) { count in
            var file = magic + pickle(number(1001)) + pickle([0x7D])
            file += pickle([0x7D, 0x28] + (0..<count).flatMap { text("w\($0)") + tensor("\($0)") } + [0x75])
            file += pickle([0x5D, 0x28] + (0..<count).flatMap { text("\($0)") } + [0x65])
            file += (0..<count).flatMap { _ in [4, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 16) }
            let tensors = try Checkpoint(bytes: Bytes(file), name: "x.pth").tensors.count
            #expect(tensors == count)
        }
        #expect(growth < limit)
    }

    @Test func manySafetensorsEntriesAndZipEntries() throws {
        let entries = try CPUTime.growth(to: count) { count in
            let entries = (0..<count).map {
                #""t\#($0)":{"dtype":"F32","shape":[1],"data_offsets":[\#(4 * $0),\#(4 * $0 + 4)]}"#
            }
            let header = Array("{\(entries.joined(separator: ","))}".utf8)
            let length = StoredZip.little(UInt32(header.count)) + [0, 0, 0, 0]
            let safetensors = Bytes(length + header + [UInt8](repeating: 0, count: 4 * count))
            let tensors = try Checkpoint(bytes: safetensors, name: "x.safetensors").tensors.count
            #expect(tensors == count)
        }
        #expect(entries < limit)
        let names = CPUTime.growth(to: count) { count in
            let names = Dictionary(uniqueKeysWithValues: (0..<count).map { ("a/data/\($0)", [UInt8(1)]) })
            let zip = Bytes(StoredZip.bytes(names.merging(["a/data.pkl": pickle([0x7D])]) { $1 }))
            _ = try? Checkpoint(bytes: zip, name: "x.pth")
        }
        #expect(names < limit)
    }

    /// Each graph inside another sees the values around it: none of them may be copied for it.
    @Test(arguments: [false, true]) func manyGraphsInAGraphOfManyNodes(isFunction: Bool) throws {
        let growth = try CPUTime.growth(to: 16_000) {
            _ = try PrecisionConverter.convert(graphs($0, isFunction: isFunction), PrecisionOptions())
        }
        #expect(growth < limit)
    }

    private func graphs(_ count: Int, isFunction: Bool) -> ONNXModel {
        var branch = Graph()
        branch.nodes = [Node("Neg", inputs: ["x"], outputs: ["z"])]
        branch.outputs = [ValueDeclaration(name: "z", type: nil)]
        let attributes = [Attribute("then_branch", .graph(branch)), Attribute("else_branch", .graph(branch))]
        let body =
            (0..<count).map { Node("Neg", inputs: ["x"], outputs: ["n\($0)"]) }
            + (0..<count).map { Node("If", inputs: ["c"], outputs: ["i\($0)"], attributes: attributes) }
            + [Node("Neg", inputs: ["i0"], outputs: ["y"])]
        var model = ONNXModel()
        model.opsets = [("", 17), ("f", 1)]
        model.graph.inputs = [
            ValueDeclaration(name: "x", type: .tensor(.float32, nil)),
            ValueDeclaration(name: "c", type: .tensor(.bool, nil)),
        ]
        model.graph.outputs = [ValueDeclaration(name: "y", type: .tensor(.float32, nil))]
        model.graph.nodes = body
        if isFunction {
            var function = Function()
            (function.domain, function.name, function.nodes) = ("f", "F", body)
            (function.inputs, function.outputs, function.opsets) = (["x", "c"], ["y"], [("", 17)])
            model.functions = [function]
            var call = Node("F", inputs: ["x", "c"], outputs: ["y"])
            call.domain = "f"
            model.graph.nodes = [call]
        }
        return model
    }
}
