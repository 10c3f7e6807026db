import Apus
import ApusWorkflows
import Foundation
import Remedies
import TestSupport
import Testing

@Suite struct VerificationTests {
    private func detection(_ label: Int, _ x: Float, _ score: Float = 0.95) -> Detection {
        Detection(score: score, label: label, category: nil, box: Box(xMin: x, yMin: 0, xMax: x + 10, yMax: 10))
    }

    // MARK: Matching

    @Test func objectsAreMatchedOneToOneByClassAndOverlap() {
        let match = DetectionMatch(
            reference: [detection(1, 0), detection(1, 100), detection(2, 200)],
            candidate: [detection(1, 101), detection(1, 1), detection(3, 200), detection(1, 2)])
        #expect(
            match.pairs.map { [$0.reference.box.xMin, $0.candidate.box.xMin] }.sorted { $0[0] < $1[0] } == [
                [0, 1], [100, 101],
            ])
        #expect(match.missed.map(\.label) == [2])
        #expect(match.spurious.map { $0.label } == [3, 1])
    }

    @Test func overlapIsIntersectionOverUnion() {
        let box = Box(xMin: 0, yMin: 0, xMax: 10, yMax: 10)
        #expect(box.iou(with: box) == 1)
        #expect(box.iou(with: Box(xMin: 5, yMin: 0, xMax: 15, yMax: 10)) == 50 / Float(150))
        #expect(box.iou(with: Box(xMin: 20, yMin: 0, xMax: 30, yMax: 10)) == 0)
    }

    @Test func outputsAreComparedByDifferenceAndCorrelation() {
        var same = OutputComparison()
        same.add(reference: [1, 2, 3, -4], candidate: [1, 2, 3.5, -4])
        #expect(same.largestDifference == 0.5 && same.meanDifference == 0.125 && same.scale == 4)
        #expect(same.correlation > 0.99 && same.correlation < 1)
        var garbage = OutputComparison()
        garbage.add(reference: [1, 2, 3, -4], candidate: [0, 0, 0, 0])
        #expect(garbage.correlation == 0)
        // Outputs that do not vary, and are equal, are no failure.
        var constant = OutputComparison()
        constant.add(reference: [2, 2], candidate: [2, 2])
        #expect(constant.correlation == 1)
        var noNumber = OutputComparison()
        noNumber.add(reference: [1, 2], candidate: [1, .nan])
        #expect(noNumber.largestDifference == .infinity)
        var short = OutputComparison()
        short.add(reference: [1, 2], candidate: [1])
        #expect(short.largestDifference == .infinity)
    }

    @Test func onlyTheOutputThatTheNetworkShakesHasItsLimitsRaised() {
        var shaken = OutputComparison()
        shaken.add(reference: [1, -1, 0.5, 0], candidate: [1.01, -1, 0.5, 0])
        var limits = OutputLimits(.bf16)
        limits.raise(for: shaken)
        #expect(limits.isRaised && limits.difference > 0.3 && limits.difference <= 0.5 && limits.correlation >= 0.9)
        var calm = OutputComparison()
        calm.add(reference: [1, -1, 0.5, 0], candidate: [1.0001, -1, 0.5, 0])
        var same = OutputLimits(.bf16)
        same.raise(for: calm)
        #expect(same == OutputLimits(.bf16))
        // However much a network shakes, garbage does not pass.
        var wild = OutputComparison()
        wild.add(reference: [1, -1, 0.5, 0], candidate: [-1, 1, 0.2, 3])
        limits.raise(for: wild)
        #expect(limits.difference == 0.5 && limits.correlation == 0.9)
        #expect(!limits.allows(wild))
    }

    // MARK: Verdicts

    @Test(.enabled(if: TestRuntime.isWanted)) func aVerdictThatCannotBeKeptIsANote() throws {
        var configuration = Detector.Configuration(device: .cpu, precision: .f32)
        configuration.verdicts = "/proc/apus"
        let report = try Verifier(model: .demo, configuration: configuration, reference: .cpu)
            .report(on: Array(try SamplePictures.all().prefix(1))) { _ in }
        #expect(report.fastest == .f32)
        #expect(report.notes.count == 1 && report.notes[0].contains("could not store the verdict in /proc/apus"))
    }

    @Test(.enabled(if: TestRuntime.isWanted)) func everyPrecisionOfTheCPUPassesWithTheDemoModel() throws {
        let folder = try TemporaryFolder()
        var configuration = Detector.Configuration(device: .cpu)
        configuration.verdicts = folder.url.path
        configuration.requiresVerified = true
        let error = #expect(throws: ApusError.self) { try Detector(configuration: configuration) }
        #expect(error?.code == .verification)
        #expect(error?.advice?.text(for: .command) == "Compare them: apus verify --device cpu --precision f32")

        configuration.requiresVerified = false
        let verifier = Verifier(model: .demo, configuration: configuration, reference: .cpu)
        let report = try verifier.report(on: try SamplePictures.all()) { _ in }
        #expect(report.objects == 19)
        #expect(!report.candidates.isEmpty)
        #expect(report.candidates.allSatisfy { $0.passed && $0.matched == 19 && $0.lost == 0 && $0.added == 0 })
        #expect(report.candidates.first?.precision == .f32)
        #expect(report.fastest != nil)
        for candidate in report.candidates {
            #expect(!candidate.limits.isEmpty && candidate.limits.values.allSatisfy { !$0.isRaised })
        }

        configuration.requiresVerified = true
        let detector = try Detector(configuration: configuration)
        #expect(detector.execution.verification.state == .yes)
        #expect(detector.execution.verification.summary == "3 images agree with cpu-f32")

        // Other shapes were never verified, and each of a set of canvases is.
        configuration.shapes = .padded
        #expect(throws: ApusError.self) { try Detector(configuration: configuration) }
        configuration.precision = .f32
        let padded = try Verifier(model: .demo, configuration: configuration, reference: .cpu)
            .report(on: try SamplePictures.all()) { _ in }
        #expect(padded.images.count == 4 && padded.images.last?.contains("farm.jpg at 256x448") == true)
        #expect(try Detector(configuration: configuration).execution.verification.state == .yes)
    }

    @Test(
        .enabled(if: TestRuntime.isWanted),
        arguments: [(Provider.cpu, VerificationReference.cpu), (.openVINO, .openVINO)])
    func theReferenceIsNotComparedWithItself(provider: Provider, reference: VerificationReference) throws {
        let folder = try TemporaryFolder()
        var configuration = Detector.Configuration(
            device: .cpu, precision: provider == .cpu ? .auto : .f32, provider: provider)
        configuration.verdicts = folder.url.path
        let verifier = Verifier(model: .demo, configuration: configuration, reference: reference)
        let error = #expect(throws: ApusError.self) {
            try verifier.report(on: try SamplePictures.all()) { _ in }
        }
        #expect(error?.cause == "the reference \(reference.rawValue) would be compared with itself")
    }

    @Test func aVerdictHoldsForWhatItWasFoundFor() throws {
        let folder = try TemporaryFolder()
        let store = VerdictStore(folder: folder.url.path)
        func key(_ driver: String) -> CompiledModelStore.Key {
            CompiledModelStore.Key(
                model: "m", device: "GPU", deviceName: "Arc", deviceUUID: "u", driver: driver, onnxRuntime: "1",
                openVINO: "2", precision: "f16", shape: "")
        }
        #expect(store.status(of: key("1")).state == .never)
        try store.store(VerificationStatus(state: .no, date: "today", summary: "19 objects are lost"), for: key("1"))
        #expect(store.status(of: key("1")).summary == "19 objects are lost")
        #expect(store.status(of: key("2")).state == .never)
        for file in try FileManager.default.contentsOfDirectory(atPath: folder.url.path) {
            try Data("{".utf8).write(to: folder.url.appendingPathComponent(file))
        }
        #expect(store.status(of: key("1")).state == .never)
    }
}
