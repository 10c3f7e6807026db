package import Apus
internal import Engine
internal import Foundation

/// Turns encoded images into detections, for every protocol: picks a model, reserves a place in the queue, enforces a timeout.
package struct Predictor: Sendable {
    let models: ModelRegistry
    let queue: InferenceQueue
    /// Time allowed from a request's complete body to its response.
    let timeout: Duration
    package let limits: Image.Limits

    package init(models: ModelRegistry, queue: InferenceQueue, timeout: Duration, limits: Image.Limits) {
        self.models = models
        self.queue = queue
        self.timeout = timeout
        self.limits = limits
    }

    /// The detections in a request's images.
    package struct Prediction: Sendable {
        package var model: ServedModel
        package var images: [ImageResult]
        /// The effective threshold: the request's, or the model's own.
        package var threshold: Float
        /// Total over all images.
        package var timings: StageTimings
    }

    /// The model that a request names; the request keeps it until it ends.
    ///
    /// - Parameter name: nil for the default.
    /// - Throws: `ServerError` if there is no such model, it isn't ready, or the queue is full: an overloaded server should
    ///   reject a request before reading its body.
    func model(_ name: String?) throws(ServerError) -> ServedModel {
        let model = try models.model(name)
        try queue.requireRoom()
        return model
    }

    /// Does a request's work in a place of the queue, within the request timeout.
    ///
    /// - Throws: `ServerError` at once if the queue is full.
    func admitted<Value>(
        _ request: RequestTask, _ work: (InferenceQueue.Place) async throws -> Value
    ) async throws -> Value {
        let place = try queue.admit()
        return try await request.within(timeout, orThrow: .timedOut(timeout)) { try await work(place) }
    }

    /// - Parameter threshold: nil for the model's own.
    func predict(
        _ images: [EncodedImage], with model: ServedModel, threshold: Float?, in place: InferenceQueue.Place,
        record: RequestRecord
    ) async throws -> Prediction {
        let threshold = threshold ?? model.summary.threshold
        record.update { $0.name(model) }
        let run = try await queue.detect(images, with: model, threshold: threshold, in: place)
        let timings = StageTimings(queue: run.waited, run.value)
        record.update {
            $0.timings = timings
            $0.images = run.value.count
            $0.objects = run.value.reduce(0) { $0 + $1.result.detections.count }
            $0.batch = run.batch
        }
        return Prediction(model: model, images: run.value, threshold: threshold, timings: timings)
    }

    /// Runs a model's network on tensors.
    func infer(
        _ inputs: [String: Tensor], outputs: [String], with model: ServedModel, in place: InferenceQueue.Place,
        record: RequestRecord
    ) async throws -> [String: Tensor] {
        record.update { $0.name(model) }
        let run = try await queue.perform(in: place) { cancellation in
            let start = ContinuousClock.now
            let outputs = try model.detector.infer(inputs, outputs: outputs, cancellation: cancellation)
            return (outputs, ContinuousClock.now - start)
        }
        var timings = StageTimings()
        timings.queue = run.waited.milliseconds
        timings.inference = run.value.1.milliseconds
        record.update { [timings] in $0.timings = timings }
        return run.value.0
    }
}

extension RequestRecord.Facts {
    fileprivate mutating func name(_ model: ServedModel) {
        self.model = model.name
        device = model.summary.device
    }
}
