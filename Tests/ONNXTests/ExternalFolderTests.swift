import Foundation
import ONNX
import TestSupport
import Testing

@Suite struct ExternalFolderTests {
    private let folder: TemporaryFolder
    private let manager = FileManager.default

    init() throws { folder = try TemporaryFolder() }

    private func link(_ name: String, to target: String) throws {
        let path = folder.path(name)
        try manager.createDirectory(
            atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path, withIntermediateDirectories: true)
        try manager.createSymbolicLink(atPath: path, withDestinationPath: target)
    }

    /// Reads a model of the given name whose weights are in `external.weights`.
    private func read(_ name: String) throws -> ONNXModel {
        let model = try ONNXFile.read(folder.path(name))
        #expect(model.graph.initializers[0].byteCount > 0)
        try ModelStructure.check(file: folder.path(name))
        return model
    }

    private func addModel(_ name: String) throws {
        try folder.write(Fixtures.bytes("conversion/external.onnx"), to: name)
    }

    private func addWeights(_ name: String) throws {
        try folder.write(Fixtures.bytes("conversion/external.weights"), to: name)
    }

    @Test func aLinkThatLeavesTheFolderIsRefused() throws {
        try addModel("models/model.onnx")
        try addWeights("secret")
        for target in ["../secret", folder.path("secret"), "/etc/passwd", "/dev/zero"] {
            try link("models/external.weights", to: target)
            for read in [
                { _ = try ONNXFile.read(folder.path("models/model.onnx")) },
                { try ModelStructure.check(file: folder.path("models/model.onnx")) },
            ] as [() throws -> Void] {
                let error = #expect(throws: ModelFileError.self) { try read() }
                #expect(error?.code == .forbidden)
                #expect(error?.cause.contains("external.weights, a link to a file outside the model's folder") == true)
            }
            try manager.removeItem(atPath: folder.path("models/external.weights"))
        }
    }

    @Test func aLinkedFolderBelowIsRefused() throws {
        try addWeights("elsewhere/external.weights")
        try link("models/sub", to: "../elsewhere")
        let error = #expect(throws: ModelFileError.self) {
            try ExternalFolder(ofModel: folder.path("models/model.onnx")).path(of: "sub/external.weights")
        }
        #expect(error?.code == .forbidden)
    }

    @Test func linksInsideTheFolderAreFollowed() throws {
        try addModel("models/model.onnx")
        try addWeights("models/versions/2")
        try link("models/external.weights", to: "versions/2")
        _ = try read("models/model.onnx")
    }

    /// Hugging Face's hub: both the model and its weights are links to where contents are kept by their digests.
    @Test func aHubCacheWorks() throws {
        try addModel("hub/blobs/aaaa")
        try addWeights("hub/blobs/bbbb")
        try link("hub/snapshots/main/model.onnx", to: "../../blobs/aaaa")
        try link("hub/snapshots/main/external.weights", to: "../../blobs/bbbb")
        _ = try read("hub/snapshots/main/model.onnx")
        // In a folder of the snapshot, and by a link to the snapshot.
        try link("hub/snapshots/main/onnx/model.onnx", to: "../../../blobs/aaaa")
        try link("hub/snapshots/main/onnx/external.weights", to: "../../../blobs/bbbb")
        _ = try read("hub/snapshots/main/onnx/model.onnx")
        try link("current", to: "hub/snapshots/main")
        _ = try read("current/model.onnx")
        // A link elsewhere is no better for being in a cache.
        try folder.write([1], to: "secret")
        try manager.removeItem(atPath: folder.path("hub/snapshots/main/external.weights"))
        try link("hub/snapshots/main/external.weights", to: "../../../secret")
        let error = #expect(throws: ModelFileError.self) { try read("hub/snapshots/main/model.onnx") }
        #expect(error?.code == .forbidden)
    }

    @Test func aModelThatIsALinkKeepsItsWeightsOnEitherSide() throws {
        try addModel("store/model.onnx")
        try addWeights("named/external.weights")
        try link("named/model.onnx", to: "../store/model.onnx")
        _ = try read("named/model.onnx")
    }

    @Test func weightsThatAreAPipeOrAFolderAreNamed() throws {
        try addModel("models/model.onnx")
        #expect(mkfifo(folder.path("models/external.weights"), 0o600) == 0)
        let pipe = #expect(throws: ModelFileError.self) { try read("models/model.onnx") }
        #expect(pipe?.cause.contains("external.weights: it is a pipe, not a regular file") == true)
        try manager.removeItem(atPath: folder.path("models/external.weights"))
        try manager.createDirectory(atPath: folder.path("models/external.weights"), withIntermediateDirectories: true)
        let directory = #expect(throws: ModelFileError.self) { try read("models/model.onnx") }
        #expect(directory?.cause.contains("external.weights: it is a folder") == true)
    }

    @Test(arguments: ["../x", "a/../../x", "/etc/passwd", "", "*/_ORT_MEM_ADDR_/*", "a\0b", "..\u{338}/x/../y"])
    func namesThatNoFolderMakesSafe(location: String) throws {
        let error = #expect(throws: ModelFileError.self) { try ExternalFolder.check(location) }
        #expect(error?.code == .forbidden)
    }
}
