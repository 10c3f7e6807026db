import Foundation
import TestSupport
import Testing

/// Under Scripts/simulated-gpu.sh: the command as a user of a GPU sees it.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["APUS_SIMULATED_GPU"] != nil), .serialized)
struct SimulatedGPUCommandTests {
    private let folder: TemporaryFolder
    private var environment: [String: String] {
        ["XDG_CACHE_HOME": folder.path("cache"), "XDG_STATE_HOME": folder.path("state")]
    }

    init() throws { folder = try TemporaryFolder() }

    private func run(_ arguments: [String], _ more: [String: String] = [:]) async throws -> Command {
        try await Command.run(
            executable: Command.apus, arguments, environment: environment.merging(more) { $1 })
    }

    @Test func twoGPUsAreListedAndToldApart() async throws {
        let devices = try await run(["devices", "--format", "json"], ["CreateMultipleRootDevices": "2"])
        #expect(devices.status == 0)
        let list = try #require((devices.json as? [String: Any])?["devices"] as? [[String: Any]])
        let gpus = list.filter { ($0["kind"] as? String) == "discrete GPU" }
        #expect(gpus.map { $0["option"] as? String } == ["gpu.0", "gpu.1"])
        #expect(Set(gpus.map { $0["uuid"] as? String }).count == 2)
        let bench = try await run(
            [
                "bench", "--device", "gpu.1", "--shapes", "448x256", "--sizes", "640x480", "--runs", "1", "--format",
                "json",
            ],
            ["CreateMultipleRootDevices": "2"])
        #expect((bench.json as? [String: Any])?["device"] as? String == "GPU.1")
    }

    @Test func theDoctorPasses() async throws {
        let run = try await run(["doctor", "--device", "gpu"])
        #expect(run.status == 0)
        #expect(run.output.contains("a small model compiled and ran on GPU"))
        #expect(run.output.contains(", driver "))
        #expect(run.output.contains("\ngpu works: a small model ran."))
    }

    @Test func verifySaysThatItsAnswersAreWrong() async throws {
        let run = try await run(["verify", "--device", "gpu", "--precision", "f16", "--shapes", "448x256,256x448"])
        #expect(run.status == 1)
        #expect(run.output.contains("The results of GPU are WRONG: do not use it with this model."))
        #expect(run.output.contains("19 objects are lost"))
        let refused = try await self.run(
            [
                "detect", Fixtures.path("../../Examples/pictures/farm.jpg"), "--device", "gpu", "--shapes",
                "448x256,256x448", "--require-verified",
            ])
        #expect(refused.status == 1)
        #expect(refused.errors.contains("its results there were found wrong on "))
    }
}
