import Apus
import Dispatch
import Engine
import Foundation
import TestSupport
import Testing

@Suite struct PublicAPITests {
    @Test func resultsSurviveJSON() throws {
        let result = DetectionResult(
            detections: [
                Detection(
                    score: 0.5, label: 3, category: "car", box: Box(xMin: 1, yMin: 2.5, xMax: 3, yMax: 4)),
                Detection(score: 0.25, label: 4, category: nil, box: Box(xMin: -1, yMin: 0, xMax: 3, yMax: 4)),
            ], width: 640, height: 480,
            timings: Timings(
                preprocess: .milliseconds(1), inference: .microseconds(2500), postprocess: .nanoseconds(7)))
        let data = try JSONEncoder().encode(result)
        #expect(try JSONDecoder().decode(DetectionResult.self, from: data) == result)
    }

    @Test func modelsAreFoundByPathAndByName() throws {
        let path = Fixtures.path("models/detector_f32.onnx")
        #expect(try Model.named(path).name == path)
        let error = #expect(throws: ApusError.self) { try Model.named("nothing-of-this-name") }
        #expect(error?.code == .model && error?.remedy != nil)
    }

    @Test(.enabled(if: TestRuntime.isWanted)) func devicesAreListed() throws {
        let devices = try Device.all()
        let cpu = try #require(devices.first { $0.device == .cpu })
        #expect(cpu.kind == "cpu" && cpu.precisions.first == .f32 && !cpu.name.isEmpty)
        #expect(throws: ApusError.self) { try Device.all(runtime: "/nowhere") }
    }

    @Test(.enabled(if: TestRuntime.isWanted)) func loadingReportsWhatItDoes() async throws {
        let steps = Locked<[Detector.LoadProgress]>([])
        let detector = try await Detector.load(configuration: .init(device: .cpu)) { step in
            steps.withLock { $0.append(step) }
        }
        #expect(detector.modelName == "demo")
        #expect(steps.withLock { $0 } == [.chosen(device: "CPU"), .compiling(shape: 1, of: 1)])
    }

    @Test(.enabled(if: TestRuntime.isWanted)) func aLoadIsCancelledBetweenItsSteps() async throws {
        let shapes = ShapePolicy.canvases([PixelSize(width: 64, height: 64), PixelSize(width: 96, height: 64)])
        let steps = Locked<[Detector.LoadProgress]>([])
        let (reached, reach) = AsyncStream.makeStream(of: Void.self)
        let goOn = DispatchSemaphore(value: 0)
        let task = Task {
            try await Detector.load(configuration: .init(device: .cpu, shapes: shapes)) { step in
                steps.withLock { $0.append(step) }
                guard step == .compiling(shape: 1, of: 2) else { return }
                reach.yield()
                goOn.wait()
            }
        }
        for await _ in reached { break }
        task.cancel()
        goOn.signal()
        let error = await #expect(throws: ApusError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(steps.withLock { $0 } == [.chosen(device: "CPU"), .compiling(shape: 1, of: 2)])
    }
}
