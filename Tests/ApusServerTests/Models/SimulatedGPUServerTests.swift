import Apus
import ApusServer
import Foundation
import Logging
import TestSupport
import Testing

@Suite(.enabled(if: ProcessInfo.processInfo.environment["APUS_SIMULATED_GPU"] != nil), .serialized)
struct SimulatedGPUServerTests {
    /// The simulated device answers garbage, which nobody is to be given.
    @Test func aDeviceWhoseAnswersAreWrongIsNotServed() throws {
        let folder = try TemporaryFolder()
        var configuration = Detector.Configuration(
            device: .gpu(nil), cache: .folder(folder.path("compiled")), requiresVerified: true)
        configuration.verdicts = folder.path("verdicts")
        configuration.watchesAnswers = false
        let loader = ModelLoader(
            configuration: configuration, verification: .auto,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let error = #expect(throws: ApusError.self) { try loader.detector("demo", .demo) }
        #expect(
            error?.code == .verification && error?.cause.contains("found wrong") == true,
            "\(error?.description ?? "")")
    }
}
