import Apus
import ApusWorkflows
import ArgumentParser
import Engine
import Foundation
import Hashing
import ModelTools
import ONNX
import ONNXRuntime
import TestSupport
import Testing

@testable import ApusCLI

#if URLs
    /// `apus pull` against a server on the loopback, with a small checkpoint in place of the published ones.
    @Suite(.enabled(if: TestRuntime.isWanted)) struct PullTests {
        private static let file = "checkpoints/tiny-basic.pth"

        private static func checkpoint(_ name: String = "tiny") throws -> PublishedCheckpoint {
            let digest = SHA256.digest(try Bytes(mapping: Fixtures.path(file)))
            return PublishedCheckpoint(
                name: name, digest: String(digest.prefix(8)), isDilated: false, averagePrecision: 0)
        }

        private static func withServer(_ body: @escaping @Sendable (_ address: String) async throws -> Void)
            async throws
        {
            try await LoopbackServer.run("checkpoint_server.py", serving: file, body)
        }

        private static func asked(_ address: String) async throws -> [String] {
            let url = try #require(URL(string: address + "/log"))
            let bytes = try await Downloader.bytes(of: url, limits: Image.Limits())
            return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        }

        @Test func whatWasPulledIsFoundByItsName() async throws {
            try await PullTests.withServer { address in
                let folder = try TemporaryFolder()
                let pull = CheckpointPull(
                    checkpoint: try PullTests.checkpoint(), address: address + "/good/", precision: .f16,
                    check: .run(runtime: nil), models: folder.path("apus/models"),
                    downloads: folder.path("cache"))
                let lines = try await pull.run().lines
                #expect(lines.contains { $0.0 == "use" && $0.1 == "apus detect --model tiny image.jpg" })
                #expect(lines.contains { $0.0 == "input" && $0.1 == "valid_sizes i64 [batch, 2]" })
                let run = try await Command.run(
                    executable: Command.apus,
                    ["detect", Fixtures.path("images/baseline.jpg"), "--model", "tiny", "--format", "json"],
                    environment: ["XDG_DATA_HOME": folder.url.path, "APUS_RUNTIME": TestRuntime.load().location.folder])
                #expect(run.errors == "" && run.status == 0)
                #expect(run.output.contains(#""family" : "detr""#))
            }
        }

        @Test func aDownloadGoesOnWhereItStopped() async throws {
            try await PullTests.withServer { address in
                let folder = try TemporaryFolder()
                let checkpoint = try PullTests.checkpoint()
                let whole = try Fixtures.bytes(PullTests.file)
                try folder.write(Array(whole.prefix(200_000)), to: checkpoint.fileName + ".partial")
                let download = CheckpointDownload(
                    checkpoint: checkpoint, address: address + "/good", folder: folder.url.path)
                #expect(try [UInt8](Data(contentsOf: URL(fileURLWithPath: await download.run()))) == whole)
                #expect(try await PullTests.asked(address) == ["good 200000"])
                // And is not asked for again.
                _ = try await download.run()
                #expect(try await PullTests.asked(address).count == 1)
            }
        }

        @Test func aTransferThatBreaksIsTriedAgainFromWhereItIs() async throws {
            try await PullTests.withServer { address in
                let folder = try TemporaryFolder()
                let download = CheckpointDownload(
                    checkpoint: try PullTests.checkpoint(), address: address + "/broken", folder: folder.url.path)
                // Three tries, each of half of what is left; then a run of its own ends it.
                let error = await #expect(throws: ApusError.self) { try await download.run() }
                #expect(error?.remedy?.contains("are already downloaded: run this again to resume") == true)
                _ = try await download.run()
                let asked = try await PullTests.asked(address).compactMap { Int($0.dropFirst("broken ".count)) }
                #expect(
                    asked.count == 4 && asked[0] == 0 && asked == asked.sorted() && Set(asked).count == 4, "\(asked)")
            }
        }

        @Test func aServerWithoutRangesIsReadFromTheStart() async throws {
            try await PullTests.withServer { address in
                let folder = try TemporaryFolder()
                let checkpoint = try PullTests.checkpoint()
                try folder.write([1, 2, 3], to: checkpoint.fileName + ".partial")
                let download = CheckpointDownload(
                    checkpoint: checkpoint, address: address + "/whole", folder: folder.url.path)
                let path = try await download.run()
                #expect(try [UInt8](Data(contentsOf: URL(fileURLWithPath: path))) == Fixtures.bytes(PullTests.file))
            }
        }

        @Test func whatIsLeftOfAnotherFileIsBegunAnew() async throws {
            try await PullTests.withServer { address in
                let folder = try TemporaryFolder()
                let checkpoint = try PullTests.checkpoint()
                try folder.write([UInt8](repeating: 7, count: 1000), to: checkpoint.fileName + ".partial")
                let download = CheckpointDownload(
                    checkpoint: checkpoint, address: address + "/good", folder: folder.url.path)
                _ = try await download.run()
                #expect(try await PullTests.asked(address) == ["good 1000", "good 0"])
            }
        }

        @Test func aWrongFileAMissingOneAndNoServerAreErrors() async throws {
            try await PullTests.withServer { address in
                for (path, cause, remedy) in [
                    (address + "/wrong", "its SHA-256 begins with", "use another mirror"),
                    (address + "/missing", "the server responded with 404 Not Found", "Check the address"),
                    (
                        "http://127.0.0.1:1", "Connection refused",
                        "Check the network. If this machine is offline, copy the file to"
                    ),
                ] {
                    let folder = try TemporaryFolder()
                    let download = CheckpointDownload(
                        checkpoint: try PullTests.checkpoint(), address: path, folder: folder.url.path)
                    let error = await #expect(throws: ApusError.self) { try await download.run() }
                    #expect(error?.code == .checkpoint)
                    #expect(
                        error?.cause.contains(cause) == true && error?.remedy?.contains(remedy) == true,
                        "\(String(describing: error))")
                    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == [])
                }
            }
        }
    }
#endif

@Suite struct ModelNameTests {
    @Test func thePublishedCheckpointsAreListed() async throws {
        let run = try await Command.run("pull")
        #expect(run.status == 0)
        #expect(run.output.hasPrefix("detr-r50        COCO AP 42.0"))
        #expect(run.output.split(separator: "\n").count == 4)
    }

    @Test func anUnknownNameIsAnErrorThatSaysWhatThereIs() async throws {
        let run = try await Command.run("pull", "detr-r99")
        #expect(run.status == 64)
        #expect(run.errors.contains("Available: detr-r50, detr-r50-dc5, detr-r101, detr-r101-dc5."))
    }

    @Test func aModelThatWasNotPulledSaysHowToGetIt() async throws {
        let folder = try TemporaryFolder()
        let environment = ["XDG_DATA_HOME": folder.url.path]
        for (name, remedy) in [("detr-r50", "Get it: apus pull detr-r50"), ("mine", "Name an .onnx file")] {
            let run = try await Command.run(
                executable: Command.apus, ["detect", Fixtures.path("images/baseline.jpg"), "--model", name],
                environment: environment)
            #expect(run.status == 1)
            #expect(run.errors.contains("no model of this name in \(folder.url.path)/apus/models"))
            #expect(run.errors.contains(remedy))
        }
    }
}
