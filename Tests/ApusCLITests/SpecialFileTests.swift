import Foundation
import TestSupport
import Testing

/// Pipes, devices and what else is not a regular file: an error at once, never a wait.
@Suite struct SpecialFileTests {
    private static let commands: [[String]] = [
        ["inspect", "FILE"], ["convert", "FILE", "-o", "out.onnx", "--no-check"],
        ["export", "FILE", "-o", "out.onnx", "--no-check"], ["detect", "FILE"],
        ["detect", "PICTURE", "--model", "FILE"],
        ["detect", "PICTURE", "--labels", "FILE"], ["preprocess", "FILE", "-o", "out.npy"],
        ["verify", "--images", "FILE", "--device", "cpu"],
        ["export", "CHECKPOINT", "-o", "out.onnx", "--labels", "FILE", "--no-check"],
    ]

    /// Ends with 124 what waits.
    private func run(_ command: [String], file: String, in folder: TemporaryFolder) async throws -> Command {
        let arguments = command.map { argument in
            switch argument {
            case "FILE": file
            case "PICTURE": Fixtures.path("images/baseline.jpg")
            case "CHECKPOINT": Fixtures.path("checkpoints/tiny-basic.pth")
            case let name where name.hasPrefix("out."): folder.path(name)
            default: argument
            }
        }
        return try await Command.run(executable: "/usr/bin/timeout", ["600", Command.apus] + arguments)
    }

    @Test(arguments: commands) func anotherKindOfFileIsNamed(command: [String]) async throws {
        let folder = try TemporaryFolder()
        #expect(mkfifo(folder.path("pipe"), 0o600) == 0)
        for (file, kind) in [(folder.path("pipe"), "a pipe"), ("/dev/zero", "a character device")] {
            let run = try await run(command, file: file, in: folder)
            #expect(run.status == 1, "\(run.errors)")
            #expect(
                run.errors.contains(file) && run.errors.contains("it is \(kind), not a regular file"), "\(run.errors)")
        }
    }

    @Test func standardInputIsReadWhereItIsAskedFor() async throws {
        let folder = try TemporaryFolder()
        let picture = try Fixtures.bytes("images/baseline.jpg")
        let run = try await Command.run(
            executable: Command.apus,
            ["preprocess", "-", "-o", folder.path("out.npy"), "--shortest", "800", "--longest", "1333"],
            input: picture)
        #expect(run.status == 0, "\(run.errors)")
    }

    @Test func whatIsNotALabelMapIsAnError() async throws {
        let run = try await Command.run(
            "detect", Fixtures.path("images/baseline.jpg"), "--labels", "/etc/passwd")
        #expect(run.status == 1)
        #expect(run.errors.contains("read the labels /etc/passwd: line 1 is not the name of a class"), "\(run.errors)")
        #expect(run.errors.contains("one name per line") && !run.errors.contains("root"))
    }
}
