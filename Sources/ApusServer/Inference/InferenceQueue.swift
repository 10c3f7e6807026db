package import Apus
package import Engine

/// The server's work queue, which decodes and runs images on its threads. Rejections are `ServerError`s.
///
/// A request first reserves a place (`admit`), then submits its images.
package final class InferenceQueue: Sendable {
    package typealias Limits = WorkLimits
    package typealias Load = WorkLoad
    package typealias Place = WorkPlace

    private let queue: WorkQueue<InferenceRunner>

    package init(_ limits: Limits) {
        queue = WorkQueue(limits, name: "apus.inference", runner: InferenceRunner(maxBatch: limits.maxBatch))
    }

    package var load: Load { queue.load }

    /// Reserves a place, which the request keeps until it has its response and none of its work is running.
    package func admit() throws(ServerError) -> Place {
        do { return try queue.admit() } catch { throw ServerError(error) }
    }

    /// Rejects a request if no place is free. Otherwise the request gets its place from `admit`, after its body arrived.
    func requireRoom() throws(ServerError) {
        do { try queue.requireRoom() } catch { throw ServerError(error) }
    }

    /// Detects objects in a request's images. Decodes them on the same thread, so no more decoded images are in memory than
    /// run at once.
    package func detect(
        _ images: [EncodedImage], with model: ServedModel, threshold: Float, in place: Place? = nil
    ) async throws -> QueueResult<[ImageResult]> {
        let input = InferenceRunner.Input(model: model, images: images, threshold: threshold)
        let run = try await refusing { try await queue.run(input, in: place) }
        return QueueResult(value: run.output.images, waited: run.waited, batch: run.output.batch)
    }

    /// Does other blocking work on the queue's threads; cancelling the task cancels the runs tied to the cancellation.
    package func perform<Value: Sendable>(
        in place: Place? = nil, _ work: @escaping @Sendable (RunCancellation) throws -> Value
    ) async throws -> QueueResult<Value> {
        let run = try await refusing { try await queue.perform(in: place, work) }
        return QueueResult(value: run.output, waited: run.waited, batch: 1)
    }

    /// Ends the threads once all waiting work is done.
    package func stop() { queue.stop() }

    private func refusing<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let refusal as WorkRefusal {
            throw ServerError(refusal)
        }
    }
}

/// The result of a job, its waiting time, and the size of its batch.
package struct QueueResult<Value: Sendable>: Sendable {
    package var value: Value
    package var waited: Duration
    package var batch: Int
}
