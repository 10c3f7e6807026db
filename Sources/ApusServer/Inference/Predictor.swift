package import Apus
internal import Foundation

/// From encoded pictures to detections, the same for every protocol: a place in the queue, a deadline, and an end when the
/// client goes away.
package struct Predictor: Sendable {
    let models: ModelRegistry
    let queue: InferenceQueue
    let timeout: Duration
    package let limits: Image.Limits

    package init(models: ModelRegistry, queue: InferenceQueue, timeout: Duration, limits: Image.Limits) {
        self.models = models
        self.queue = queue
        self.timeout = timeout
        self.limits = limits
    }

    /// What was found in a request's pictures.
    package struct Prediction: Sendable {
        package var model: ServedModel
        package var pictures: [PictureResult]
        /// Of all pictures together.
        var timings: StageTimings
    }

    /// - Parameters:
    ///   - model: nil for the default.
    ///   - threshold: nil for the model's.
    func predict(
        _ pictures: [EncodedPicture], model name: String?, threshold: Float?, in place: InferenceQueue.Place,
        record: RequestRecord
    ) async throws -> Prediction {
        let model = try models.model(name)
        record.update {
            $0.model = model.name
            $0.device = model.detector.execution.device
        }
        let outcome = try await queue.detect(
            pictures, with: model, threshold: threshold ?? model.detector.configuration.threshold, in: place)
        var timings = StageTimings()
        timings.queue = outcome.waited.milliseconds
        for picture in outcome.value {
            timings.decode += picture.decode.milliseconds
            timings.preprocess += picture.result.timings.preprocess.milliseconds
            timings.inference += picture.result.timings.inference.milliseconds
            timings.postprocess += picture.result.timings.postprocess.milliseconds
        }
        record.update { [timings] in
            $0.timings = timings
            $0.pictures = outcome.value.count
            $0.objects = outcome.value.reduce(0) { $0 + $1.result.detections.count }
            $0.batch = outcome.batch
        }
        return Prediction(model: model, pictures: outcome.value, timings: timings)
    }

    /// Refuses what could not be answered now, before its body is read.
    func requireSpace(for model: String?) throws(ServerError) {
        _ = try models.model(model)
        try queue.requireSpace()
    }

    /// Work in a place of the queue, within the time that a request has.
    func admitted<Value: Sendable>(
        _ work: @escaping @Sendable (InferenceQueue.Place) async throws -> Value
    ) async throws -> Value {
        let place = try queue.admit()
        return try await Deadline.run(within: timeout, orThrow: .timedOut(timeout)) {
            try await work(place)
        }
    }
}
