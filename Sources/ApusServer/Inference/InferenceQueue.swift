package import Apus
package import Engine

/// The server's work queue: requests' images, decoded and run on its threads. Refusals are those of the server.
///
/// A request first takes a place (`admit`), then submits its images.
package final class InferenceQueue: Sendable {
    package typealias Limits = WorkLimits
    package typealias Load = WorkLoad
    package typealias Place = WorkPlace

    private let queue: WorkQueue<InferenceRunner>

    package init(_ limits: Limits) {
        queue = WorkQueue(limits, name: "apus.inference", runner: InferenceRunner(maxBatch: limits.maxBatch))
    }

    package var load: Load { queue.load }

    /// Takes a place, which the request keeps until it has its response and nothing of it runs any more.
    package func admit() throws(ServerError) -> Place {
        do { return try queue.admit() } catch { throw ServerError(error) }
    }

    /// Refuses a request that would get no place now. One that may come gets its place from `admit`, when its body is there.
    func requireRoom() throws(ServerError) {
        do { try queue.requireRoom() } catch { throw ServerError(error) }
    }

    /// Detects objects in a request's images, which are decoded on the same thread, so that only as many are decoded in memory as
    /// run at once.
    package func detect(
        _ images: [EncodedImage], with model: ServedModel, threshold: Float, in place: Place? = nil
    ) async throws -> QueueResult<[ImageResult]> {
        let input = InferenceRunner.Input(model: model, images: images, threshold: threshold)
        let run = try await refusing { try await queue.run(input, in: place) }
        return QueueResult(value: run.output.images, waited: run.waited, batch: run.output.batch)
    }

    /// Does other blocking work on the queue's threads; cancelling the task cancels the runs that are tied to the cancellation.
    package func perform<Value: Sendable>(
        in place: Place? = nil, _ work: @escaping @Sendable (RunCancellation) throws -> Value
    ) async throws -> QueueResult<Value> {
        let run = try await refusing { try await queue.perform(in: place, work) }
        return QueueResult(value: run.output, waited: run.waited, batch: 1)
    }

    /// Ends the threads when all that waits is done.
    package func stop() { queue.stop() }

    private func refusing<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let refusal as WorkRefusal {
            throw ServerError(refusal)
        }
    }
}

/// The result of a job, how long it waited, and with how many images it ran.
package struct QueueResult<Value: Sendable>: Sendable {
    package var value: Value
    package var waited: Duration
    package var batch: Int
}
