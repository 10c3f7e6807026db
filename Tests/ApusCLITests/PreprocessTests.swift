import Apus
import Engine
import Foundation
import TestSupport
import Testing

@Suite struct PreprocessTests {
    private let picture = Fixtures.path("images/baseline.jpg")

    @Test func theFileIsTheTensor() async throws {
        let folder = try TemporaryFolder()
        let run = try await Command.run(
            "preprocess", picture, "-o", folder.path("t.npy"), "--shortest", "256", "--longest", "427")
        #expect(run.status == 0)
        #expect(run.output == "\(folder.path("t.npy"))  [1, 3, 256, 341] f32\n")
        let file = try NPY(contentsOf: folder.url.appendingPathComponent("t.npy"))
        let rule = ShortestEdge(shortest: 256, longest: 427)
        let tensor = try Preprocessor(rule: rule, type: .float32).tensor(for: Image(contentsOfFile: picture))
        #expect(file.shape == [1, 3, 256, 341])
        #expect(try file.values == tensor.elements(of: Float.self))
    }

    @Test func halfPrecisionGoesToStandardOutput() async throws {
        let run = try await Command.run(
            "preprocess", picture, "-o", "-", "--shortest", "64", "--longest", "64", "--dtype", "f16")
        #expect(run.status == 0)
        let header = String(decoding: run.outputBytes.prefix(128), as: UTF8.self)
        #expect(header.contains("'descr': '<f2'") && header.contains("(1, 3, 48, 64)"))
        let size: Int = 128 + 2 * 3 * 48 * 64
        #expect(run.outputBytes.count == size)
    }

    @Test(.enabled(if: TestRuntime.isWanted)) func withoutARuleTheModelsIsUsed() async throws {
        let folder = try TemporaryFolder()
        let run = try await Command.run("preprocess", picture, "-o", folder.path("t.npy"))
        #expect(run.output.hasSuffix("[1, 3, 256, 341] f32\n"))
        let other = Fixtures.path("models/detector_metadata.onnx")
        let half = try await Command.run(
            "preprocess", picture, "-o", folder.path("t.npy"), "--model", other, "--dtype", "f16")
        #expect(half.output.hasSuffix("[1, 3, 64, 85] f16\n"))
    }

    /// A pipe is written to, and stays a pipe.
    @Test func whatIsNoRegularFileIsNotReplaced() async throws {
        let folder = try TemporaryFolder()
        let pipe = folder.path("pipe")
        let inside =
            "mkfifo \(pipe) && (wc -c < \(pipe) & \(Command.apus) preprocess \(picture) -o \(pipe) "
            + "--shortest 64 --longest 64 && wait && test -p \(pipe))"
        let run = try await Command.run(executable: "/bin/sh", ["-c", inside])
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("36992"))  // 128 bytes of header, 4 * 3 * 48 * 64 of numbers
        let full = try await Command.run(
            executable: "/bin/sh",
            ["-c", "\(Command.apus) preprocess \(picture) -o - --shortest 64 --longest 64 > /dev/full"])
        #expect(full.status == 1 && full.errors.hasPrefix("apus: could not write standard output"))
    }

    @Test func wrongUseIsAnError() async throws {
        #expect(try await Command.run("preprocess", picture, "-o", "x.npy", "--shortest", "5").status == 64)
        let folder = try TemporaryFolder()
        let run = try await Command.run(
            "preprocess", picture, "-o", folder.path("no/such/folder/t.npy"), "--shortest", "8", "--longest", "8")
        #expect(run.status == 1 && run.errors.contains("could not write"))
    }
}
