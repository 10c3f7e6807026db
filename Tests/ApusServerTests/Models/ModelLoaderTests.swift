import Apus
import ApusServer
import Logging
import TestSupport
import Testing

@Suite(.enabled(if: TestRuntime.isWanted)) struct ModelLoaderTests {
    private func loader(
        _ verification: ModelLoader.Verification, requiresVerified: Bool, verdicts: String
    ) -> ModelLoader {
        var configuration = Detector.Configuration(
            device: .cpu, precision: .f32, requiresVerified: requiresVerified)
        configuration.verdicts = verdicts
        return ModelLoader(
            configuration: configuration, verification: verification,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test func aModelIsVerifiedOnceAndTheVerdictHolds() throws {
        let folder = try TemporaryFolder()
        #expect(throws: ApusError.self) {
            try loader(.auto, requiresVerified: true, verdicts: folder.path("verdicts")).detector("demo", .demo)
        }
        let verified = try loader(.always, requiresVerified: true, verdicts: folder.path("verdicts")).detector(
            "demo", .demo)
        #expect(verified.execution.verification.state == .yes)
        let date = try #require(verified.execution.verification.date)
        // Found again, not made again; and good for whoever asks for it.
        for verification in [ModelLoader.Verification.always, .never] {
            let again = try loader(verification, requiresVerified: true, verdicts: folder.path("verdicts"))
                .detector(
                    "demo", .demo)
            #expect(again.execution.verification.date == date)
        }
    }

    @Test func aCPUIsNotVerifiedUnlessAsked() throws {
        let folder = try TemporaryFolder()
        for verification in [ModelLoader.Verification.auto, .never] {
            let detector = try loader(verification, requiresVerified: false, verdicts: folder.path("verdicts"))
                .detector(
                    "demo", .demo)
            #expect(detector.execution.verification.state == .never)
        }
    }
}
