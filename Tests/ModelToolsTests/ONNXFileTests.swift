import Engine
import Foundation
import ModelTools
import ONNX
import ONNXRuntime
import TestSupport
import Testing

@Suite struct ONNXFileTests {
    private static let models =
        ["if", "loop", "scan", "function", "sequence", "shapes", "custom", "stale"].map { "conversion/\($0).onnx" }
        + ["checkpoints/tiny-bottleneck.traced-opset12.onnx"]

    /// Reading and writing again changes nothing that a third reading would see.
    @Test(arguments: models) func readingWhatWasWrittenGivesTheSame(path: String) throws {
        let folder = try TemporaryFolder()
        let source = try ONNXFile.read(Fixtures.path(path))
        try ONNXFile.write(source, to: folder.path("a.onnx"))
        try ONNXFile.write(ONNXFile.read(folder.path("a.onnx")), to: folder.path("b.onnx"))
        let first = try Data(contentsOf: folder.url.appendingPathComponent("a.onnx"))
        #expect(try Data(contentsOf: folder.url.appendingPathComponent("b.onnx")) == first)
        let one = ModelSummary(source, fileBytes: 0)
        let other = ModelSummary(try ONNXFile.read(folder.path("b.onnx")), fileBytes: 0)
        #expect(
            one.operators == other.operators && one.bytesByType == other.bytesByType
                && one.parameters == other.parameters)
    }

    /// As it is for models above 2 GB, with a limit that a small one passes.
    @Test(.enabled(if: TestRuntime.isWanted)) func aLargeModelKeepsItsWeightsInASecondFile() throws {
        let folder = try TemporaryFolder()
        let source = try ONNXFile.read(Fixtures.path("checkpoints/tiny-bottleneck.traced-opset12.onnx"))
        let path = folder.path("large.onnx")
        let written = try ONNXFile.write(source, to: path, maxBytes: 300_000)
        #expect(written.dataPath == path + ".data" && written.dataBytes > 1_000_000 && written.bytes < 300_000)
        let again = try ONNXFile.read(path)
        let weights = source.graph.initializers.map { $0.payload.bytesForTest }
        #expect(again.graph.initializers.map { $0.payload.bytesForTest } == weights)
        let session = try Session(
            runtime: TestRuntime.load(), model: .file(path), options: SessionOptions(.ownKernels))
        #expect(session.outputs.count == 2)
        // And back into one file.
        #expect(try ONNXFile.write(again, to: folder.path("one.onnx")).dataPath == nil)
    }

    @Test func weightsOutsideOfTheModelsFolderAreRefused() throws {
        let folder = try TemporaryFolder()
        for location in ["../secret", "/etc/passwd", "a/../../b"] {
            var model = try ONNXFile.read(Fixtures.path("conversion/external.onnx"))
            model.graph.initializers[0].payload = .external(location: location, offset: 0, length: 4096)
            try ONNXFile.write(model, to: folder.path("model.onnx"))
            let error = #expect(throws: ModelToolsError.self) { try ONNXFile.read(folder.path("model.onnx")) }
            #expect(error?.code == .forbidden && error?.cause.contains(location) == true)
        }
    }

    @Test func weightsThatAreMissingOrTooShortAreNamed() throws {
        let folder = try TemporaryFolder()
        try folder.write(Fixtures.bytes("conversion/external.onnx"), to: "model.onnx")
        let missing = #expect(throws: ModelToolsError.self) { try ONNXFile.read(folder.path("model.onnx")) }
        #expect(
            missing?.cause.contains("its weights are in a second file, external.weights: there is no such file") == true
        )
        try folder.write([1, 2, 3], to: "external.weights")
        let short = #expect(throws: ModelToolsError.self) { try ONNXFile.read(folder.path("model.onnx")) }
        #expect(short?.cause.contains("is out of bounds in external.weights, which has 3 bytes") == true)
    }

    @Test(arguments: [
        [0x3A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [0x3A, 0x05, 0x00], [0xFF], [0x3A], [0x00, 0x00],
        [0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80], [0x0B, 0x0C],
        [0x3A, 0x00, 0x3A, 0x00],
        // A tensor of 2^40 elements, and one of a negative dimension.
        [0x3A, 0x0C, 0x2A, 0x0A, 0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 0x10, 0x01, 0x42],
        [0x3A, 0x0F, 0x2A, 0x0D, 0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0x10, 0x01],
    ])
    func absurdLengthsAreErrors(bytes: [Int]) {
        #expect(throws: ModelToolsError.self) { try ONNXModel(Bytes(bytes.map { UInt8($0) })) }
    }

    @Test func graphsInGraphsAreBounded() {
        // Model > graph > node > attribute > graph > …
        var graph: [UInt8] = []
        func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
            var length: [UInt8] = []
            var rest = content.count
            repeat {
                length.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
                rest >>= 7
            } while rest > 0
            return [number << 3 | 2] + length + content
        }
        for _ in 0..<100 { graph = field(1, field(5, field(6, graph) + [0xA0, 0x01, 5])) }
        let error = #expect(throws: ModelToolsError.self) { try ONNXModel(Bytes(field(7, graph))) }
        #expect(error?.cause == "graphs are nested deeper than 32")
    }

    @Test func whatIsNoModelSaysSo() throws {
        let error = #expect(throws: ModelToolsError.self) { try ONNXFile.read(Fixtures.path("images/baseline.jpg")) }
        #expect(error?.cause.contains("it is not an ONNX model") == true)
        #expect(throws: ModelToolsError.self) { try ONNXFile.read(Fixtures.path("nowhere.onnx")) }
    }
}

extension ONNXTensor.Payload {
    fileprivate var bytesForTest: [UInt8]? { if case .raw(let bytes) = self { bytes.array } else { nil } }
}
