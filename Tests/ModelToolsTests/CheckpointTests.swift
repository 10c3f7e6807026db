import Foundation
import ModelTools
import ONNX
import Remedies
import TestSupport
import Testing

@Suite struct CheckpointTests {
    private struct Value: Decodable {
        var type: String
        var shape: [Int]
        var values: [Double]
    }

    private static func file(_ name: String) -> String { Fixtures.path("readers/\(name)") }

    /// The same tensors in every serialization: views, shared storages, all types.
    @Test(arguments: ["zip.pth", "zip64.pth", "legacy.pth", "protocol4.pth", "bare.pth", "plain.safetensors"])
    func everyFormatGivesTheSameTensors(name: String) throws {
        let checkpoint = try Checkpoint(path: CheckpointTests.file(name))
        let expected: [String: Value] = try #require(Fixtures.json("readers/values.json"))
        #expect(Set(checkpoint.tensors.keys) == Set(expected.keys))
        for (key, value) in expected {
            let tensor = try #require(checkpoint.tensors[key])
            #expect(tensor.shape == value.shape, "\(key)")
            #expect(tensor.floats().map(Double.init) == value.values, "\(key)")
        }
    }

    @Test func formatsAreToldApartAndEntriesAreNamed() throws {
        #expect(try Checkpoint(path: CheckpointTests.file("zip.pth")).format == .pyTorchZip)
        #expect(try Checkpoint(path: CheckpointTests.file("legacy.pth")).format == .pyTorchLegacy)
        #expect(try Checkpoint(path: CheckpointTests.file("plain.safetensors")).format == .safetensors)
        #expect(try Checkpoint(path: CheckpointTests.file("zip.pth")).entry == "model")
        #expect(try Checkpoint(path: CheckpointTests.file("bare.pth")).entry == nil)
    }

    @Test(arguments: ["zip.pth", "legacy.pth"]) func whatTrainingWasToldIsRead(name: String) throws {
        let arguments = try Checkpoint(path: CheckpointTests.file(name)).arguments
        #expect(arguments == ["nheads": "4", "dilation": "false", "lr": "0.0001", "name": "tiny"])
    }

    @Test func aContiguousTensorIsNotCopied() throws {
        let checkpoint = try Checkpoint(path: CheckpointTests.file("zip.pth"))
        let bytes = try #require(checkpoint.tensors["f32"]?.contiguousBytes)
        #expect(bytes.origin?.path.hasSuffix("readers/zip.pth") == true)
        #expect(checkpoint.tensors["turned"]?.contiguousBytes == nil)
        #expect(checkpoint.tensors["rows"]?.contiguousBytes?.count == 48)
    }

    @Test(arguments: [
        ("system.pth", "posix.system"), ("system-legacy.pth", "posix.system"), ("eval.pth", "__builtin__.eval"),
    ])
    func aPickleThatCallsAFunctionIsRefusedAndNothingRuns(name: String, global: String) throws {
        let mark = "/tmp/apus-pickle-ran"
        try? FileManager.default.removeItem(atPath: mark)
        let error = #expect(throws: ModelToolsError.self) { try Checkpoint(path: CheckpointTests.file(name)) }
        #expect(error?.code == .forbidden)
        #expect(error?.cause.contains("its pickle names \(global)") == true)
        #expect(error?.remedy?.text(for: .command).contains("executed nothing") == true)
        #expect(!FileManager.default.fileExists(atPath: mark))
    }

    @Test(arguments: [
        ("big-endian.pth", "its numbers are big-endian"),
        ("bomb.pth", "data.pkl of the ZIP is compressed or encrypted"),
        ("script.pt", "it is a TorchScript archive"),
        ("missing-storage.pth", "the storage 0 is missing"),
        ("short-storage.pth", "the storage of f32 should have 24 elements of f32, but has 92 bytes"),
        ("expanded.pth", "a tensor of size [1000, 1000] and strides [0, 0] repeats elements of its storage"),
        ("no-weights.pth", "it contains no weights"),
        ("values.json", "it is not a checkpoint that Apus can read: it begins with the text"),
        ("nowhere.pth", "there is no such file"),
    ])
    func whatCannotBeReadSaysWhyAndWhatToDo(name: String, cause: String) {
        let error = #expect(throws: ModelToolsError.self) { try Checkpoint(path: CheckpointTests.file(name)) }
        #expect(error?.cause.contains(cause) == true, "\(error?.cause ?? "")")
        #expect(error?.remedy != nil)
    }

    /// A file that is cut anywhere is an error, never a crash and never another tensor.
    @Test(arguments: ["zip.pth", "legacy.pth", "plain.safetensors"]) func aFileThatIsCutIsAnError(name: String) throws {
        let whole = try Fixtures.bytes("readers/\(name)")
        for length in stride(from: 1, to: whole.count, by: 37) {
            #expect(throws: ModelToolsError.self) {
                try Checkpoint(bytes: Bytes(Array(whole.prefix(length))), name: name)
            }
        }
    }
}
