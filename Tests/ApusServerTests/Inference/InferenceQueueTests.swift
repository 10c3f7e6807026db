import Apus
import ApusServer
import Foundation
import HTTPTypes
import NIOCore
import Synchronization
import TestSupport
import Testing

struct InferenceQueueTests {
    private static func model(_ detector: FakeDetector = FakeDetector()) -> ServedModel {
        ServedModel(name: "demo", version: 1, detector: detector)
    }

    private static func image(_ bytes: ByteBuffer? = nil, name: String? = nil) throws -> EncodedImage {
        EncodedImage(name: name, bytes: Array(buffer: try bytes ?? TestImages.small())[...], limits: Image.Limits())
    }

    /// Keeps the only thread busy until `waiting` jobs wait, which `body` submits.
    private static func gather<Value: Sendable>(
        _ queue: InferenceQueue, waiting: Int, _ body: @Sendable @escaping () async throws -> Value
    ) async throws -> Value {
        let release = DispatchSemaphore(value: 0)
        let busy = Task { try await queue.perform { _ in release.wait() }.batch }
        while queue.load.running == 0 { try await Task.sleep(for: .milliseconds(1)) }
        let work = Task { try await body() }
        while queue.load.queued < waiting { try await Task.sleep(for: .milliseconds(1)) }
        release.signal()
        _ = try await busy.value
        return try await work.value
    }

    @Test func moreThanTheQueueHoldsIsRefusedAtOnce() throws {
        let queue = InferenceQueue(.init(queue: 1, concurrency: 1))
        defer { queue.stop() }
        var places = [try queue.admit(), try queue.admit()]
        #expect(queue.load.admitted == 2)
        let error = #expect(throws: ServerError.self) { try queue.admit() }
        #expect(error?.kind == .queueFull && error?.status == .serviceUnavailable)
        #expect((1...60).contains(error?.retryAfter ?? 0))
        places.removeLast()
        _ = try queue.admit()
        queue.stop()
        #expect(throws: ServerError.self) { try queue.admit() }
    }

    @Test func imagesOfSeveralRequestsShareARunAndKeepTheirThresholds() async throws {
        let queue = InferenceQueue(.init(queue: 16, concurrency: 1, maxBatch: 4))
        defer { queue.stop() }
        let detector = FakeDetector()
        let model = Self.model(detector)
        let found = try await Self.gather(queue, waiting: 5) {
            try await withThrowingTaskGroup(of: (threshold: Float, labels: [Int], batch: Int).self) { group in
                for threshold in [0.97, 0.9, 0.4, 0.94, 0.91] as [Float] {
                    group.addTask {
                        let run = try await queue.detect([Self.image()], with: model, threshold: threshold)
                        return (threshold, run.value[0].result.detections.map(\.label), run.batch)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }
        let expected: [Float: [Int]] = [
            0.97: [20], 0.9: [20, 18, 91], 0.4: [20, 18, 91, 1], 0.94: [20, 18], 0.91: [20, 18, 91],
        ]
        for each in found { #expect(each.labels == expected[each.threshold], "\(each.threshold)") }
        #expect(found.map(\.batch).sorted() == [1, 4, 4, 4, 4])
        #expect(detector.calls.map(\.sizes.count) == [4, 1])
    }

    @Test func onlyImagesOfOneModelShareARun() async throws {
        let queue = InferenceQueue(.init(queue: 16, concurrency: 1, maxBatch: 4))
        defer { queue.stop() }
        let models = [Self.model(), Self.model()]
        let batches = try await Self.gather(queue, waiting: 4) {
            try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<4 {
                    group.addTask {
                        try await queue.detect([Self.image()], with: models[index % 2], threshold: 0.9).batch
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }
        #expect(batches == [2, 2, 2, 2])
    }

    @Test func oneBadImageOfARunFailsAlone() async throws {
        let queue = InferenceQueue(.init(queue: 16, concurrency: 1, maxBatch: 2))
        defer { queue.stop() }
        let model = Self.model()
        let results = try await Self.gather(queue, waiting: 2) {
            async let bad = Result {
                try await queue.detect([Self.image(ByteBuffer(bytes: [1, 2, 3]))], with: model, threshold: 0.9)
            }
            async let good = Result { try await queue.detect([Self.image()], with: model, threshold: 0.9) }
            return await [bad, good]
        }
        #expect(throws: ApusError.self) { _ = try results[0].get() }
        #expect(try results[1].get().value[0].result.detections.count == 3)
    }

    /// The device fails on a run of several: each request is tried alone, and gets an error of its own.
    @Test func aRunThatFailsIsTriedAlone() async throws {
        let queue = InferenceQueue(.init(queue: 16, concurrency: 1, maxBatch: 2))
        defer { queue.stop() }
        let detector = FakeDetector()
        detector.fail(ApusError(.inference, doing: "detect objects", cause: "no"))
        let model = Self.model(detector)
        let results = try await Self.gather(queue, waiting: 2) {
            async let one = Result { try await queue.detect([Self.image()], with: model, threshold: 0.9) }
            async let other = Result { try await queue.detect([Self.image()], with: model, threshold: 0.9) }
            return await [one, other]
        }
        for result in results { #expect(throws: ApusError.self) { _ = try result.get() } }
        #expect(detector.calls.map(\.sizes.count) == [2, 1, 1])
    }

    @Test func imagesAreDecodedOneByOneAndOnlyWhileSomebodyWaits() async throws {
        let queue = InferenceQueue(.init(queue: 0, concurrency: 1))
        defer { queue.stop() }
        let model = Self.model()
        let (drawn, release) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let count = Mutex(0)
        var image = try Self.image()
        image.draw = { _, _ in
            count.withLock { $0 += 1 }
            drawn.signal()
            release.wait()
            return []
        }
        let task = Task { [image] in
            let place = try queue.admit()
            return try await queue.detect(
                [EncodedImage](repeating: image, count: 16), with: model, threshold: 0.9, in: place
            ).batch
        }
        await Task.detached { drawn.wait() }.value
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        // Who asked has a response, but the thread is not free yet, and the next is told so.
        #expect(throws: ServerError.self) { try queue.admit() }
        release.signal()
        while queue.load.admitted > 0 { try await Task.sleep(for: .milliseconds(5)) }
        #expect(count.withLock { $0 } == 1)
    }

    @Test func aStoppedQueueFinishesWhatWaitsAndRefusesWhatComes() async throws {
        let queue = InferenceQueue(.init(queue: 16, concurrency: 1))
        let model = Self.model()
        let found = try await Self.gather(queue, waiting: 1) {
            async let run = queue.detect([Self.image()], with: model, threshold: 0.9)
            while queue.load.queued == 0 { try await Task.sleep(for: .milliseconds(1)) }
            queue.stop()
            return try await run.value[0].result.detections.count
        }
        #expect(found == 3)
        let error = await #expect(throws: ServerError.self) {
            try await queue.detect([Self.image()], with: model, threshold: 0.9)
        }
        #expect(error?.kind == .stopping)
    }

    /// With the demo model: results don't depend on what else is in the run.
    @Test(.enabled(if: TestRuntime.isWanted)) func aBatchOfTheDemoModelHasTheSameResults() async throws {
        let server = try await TestServer { $0.inference = .init(queue: 16, concurrency: 1, maxBatch: 4) }
        let (queue, model) = (server.server.queue, try server.server.models.model(nil))
        defer { queue.stop() }
        let farm = try TestImages.bytes()
        let found = try await Self.gather(queue, waiting: 4) {
            try await withThrowingTaskGroup(of: (Int, Int).self) { group in
                for index in 0..<4 {
                    group.addTask {
                        let run = try await queue.detect(
                            [Self.image(farm)], with: model, threshold: index == 0 ? 0.99 : 0.9)
                        return (run.value[0].result.detections.count, run.batch)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }
        #expect(found.map(\.0).sorted() == [4, 6, 6, 6])
        #expect(found.allSatisfy { $0.1 == 4 })
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}
