    import Apus
    import ApusServer
    import Foundation
    import HTTPTypes
    import Hummingbird
    import HummingbirdTesting
    import Logging
    import NIOCore
    import Synchronization
    import TestSupport
    import Testing

    @Suite(.enabled(if: TestRuntime.isWanted)) struct InferenceQueueTests {
        private static let jpeg: HTTPFields = [.contentType: "image/jpeg"]

        private func model() throws -> ServedModel {
            ServedModel(
                name: "demo", version: 1,
                detector: try Detector(configuration: .init(device: .cpu, precision: .f32)))
        }

        @Test func moreThanTheQueueHoldsIsRefusedAtOnce() throws {
            let queue = InferenceQueue(.init(queue: 1, concurrency: 1))
            defer { queue.stop() }
            var places = [try queue.admit(), try queue.admit()]
            #expect(queue.load.admitted == 2)
            let error = #expect(throws: ServerError.self) { try queue.admit() }
            #expect(error?.kind == "queue-full" && error?.status == .serviceUnavailable)
            #expect((1...60).contains(error?.retryAfter ?? 0))
            places.removeLast()
            _ = try queue.admit()
            queue.stop()
            #expect(throws: ServerError.self) { try queue.admit() }
        }

        @Test func whatIsCancelledWhileItWaitsIsNeverRun() async throws {
            let queue = InferenceQueue(.init(queue: 8, concurrency: 1))
            defer { queue.stop() }
            let model = try model()
            let (running, release) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            let first = Task {
                try await queue.perform(with: model) { _ in
                    running.signal()
                    release.wait()
                    return "first"
                }.value
            }
            await Task.detached { running.wait() }.value
            let second = Task { try await queue.perform(with: model) { _ in Issue.record("it ran") }.batch }
            while queue.load.queued == 0 { try await Task.sleep(for: .milliseconds(5)) }
            second.cancel()
            // At once, though the only thread is taken.
            await #expect(throws: CancellationError.self) { try await second.value }
            #expect(queue.load.queued == 0)
            release.signal()
            #expect(try await first.value == "first")
        }

        @Test func picturesOfSeveralRequestsShareARunAndKeepTheirThresholds() async throws {
            // A full batch runs at once, so the delay ends only a test that would hang.
            let server = try await TestServer {
                $0.inference = .init(queue: 16, concurrency: 1, maxBatch: 4, batchDelay: .seconds(3600))
            }
            let picture = try Pictures.bytes()
            try await server.test { client in
                let counts = try await withThrowingTaskGroup(of: (Int, Int).self) { group in
                    for index in 0..<4 {
                        group.addTask {
                            let bytes = Array(buffer: picture)
                            let found = try await server.server.queue.detect(
                                [EncodedPicture(name: nil, bytes: bytes, limits: Image.Limits())],
                                with: try server.server.models.model(nil), threshold: index == 0 ? 0.99 : 0.9)
                            return (found.value[0].result.detections.count, found.batch)
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(counts.map(\.0).sorted() == [4, 6, 6, 6])
                #expect(counts.allSatisfy { $0.1 == 4 })
                try await client.execute(uri: "/v2/health/ready", method: .get) { #expect($0.status == .ok) }
            }
        }

        @Test func oneBadPictureOfARunFailsAlone() async throws {
            let server = try await TestServer {
                $0.inference = .init(queue: 16, concurrency: 1, maxBatch: 2, batchDelay: .seconds(3600))
            }
            defer { server.server.queue.stop() }
            let (queue, model) = (server.server.queue, try server.server.models.model(nil))
            func ask(_ bytes: [UInt8]) async throws -> Int {
                try await queue.detect(
                    [EncodedPicture(name: "it", bytes: bytes, limits: Image.Limits())], with: model, threshold: 0.9
                ).value[0].result.detections.count
            }
            let good = Array(buffer: try Pictures.bytes())
            let other = Task { try await ask([1, 2, 3]) }
            let found = try await ask(good)
            #expect(found == 6)
            await #expect(throws: ApusError.self) { _ = try await other.value }
        }

        @Test func aRequestThatTakesTooLongIsTimedOut() async throws {
            let server = try await TestServer {
                $0.inference = .init(queue: 16, concurrency: 1)
                $0.timeout = .milliseconds(50)
            }
            // The only thread that runs models is taken, so no request can finish in time.
            let (queue, model) = (server.server.queue, try server.server.models.model(nil))
            let (running, release) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            let taken = Task {
                try await queue.perform(with: model) { _ in
                    running.signal()
                    release.wait()
                }.batch
            }
            await Task.detached { running.wait() }.value
            try await server.test { client in
                defer { release.signal() }
                try await client.execute(
                    uri: "/predict", method: .post, headers: Self.jpeg, body: try Pictures.bytes()
                ) { response in
                    #expect(response.status == .gatewayTimeout, "\(response.text)")
                    #expect(response.object["type"] as? String == "/docs#timeout")
                }
                try await client.execute(uri: "/v1/vision/detection", method: .post, body: ByteBuffer()) { response in
                    #expect(response.object["success"] as? Bool == false)
                }
            }
            _ = try await taken.value
        }

        @Test func picturesAreDecodedOneByOneAndOnlyWhileSomebodyWaits() async throws {
            let queue = InferenceQueue(.init(queue: 0, concurrency: 1))
            defer { queue.stop() }
            let model = try model()
            let bytes = Array(buffer: try Pictures.bytes())
            let (drawn, release) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            let count = Mutex(0)
            let picture = EncodedPicture(name: nil, bytes: bytes, limits: Image.Limits()) { _, _ in
                count.withLock { $0 += 1 }
                drawn.signal()
                release.wait()
                return []
            }
            let task = Task {
                let place = try queue.admit()
                return try await queue.detect(
                    [EncodedPicture](repeating: picture, count: 16), with: model, threshold: 0.9, in: place
                ).batch
            }
            await Task.detached { drawn.wait() }.value
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            // Who asked is answered, but the thread is not free yet, and the next is told so.
            #expect(throws: ServerError.self) { try queue.admit() }
            release.signal()
            while queue.load.admitted > 0 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(count.withLock { $0 } == 1)
        }
    }
