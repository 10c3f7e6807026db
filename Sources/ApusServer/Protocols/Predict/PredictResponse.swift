internal import Apus
internal import Foundation

/// The result of `POST /predict` for one image.
struct PredictResponse: Encodable {
    struct Result: Encodable {
        var score: Float
        var label: Int
        var category: String?
        /// Left, top, right, bottom in pixels of the upright image.
        var boxes: [Float]
    }

    var results: [Result]
    /// In seconds.
    var inferenceTime: Double
    /// The client's name for it.
    var image: String?
    var width: Int
    var height: Int
    var threshold: Float
    var model: String
    var device: String
    var precision: String?
    /// "yes", "no" or "never".
    var verified: String
    var timingsMs: StageTimings
    /// Defects that the decoder could work around.
    var warning: String?
    /// The image with boxes drawn on it, in base64, if JSON and `annotate` were requested.
    var annotated: String?

    init(_ image: ImageResult, of prediction: Predictor.Prediction) {
        results = image.result.detections.map {
            Result(
                score: $0.score, label: $0.label, category: $0.category,
                boxes: [$0.box.xMin, $0.box.yMin, $0.box.xMax, $0.box.yMax])
        }
        var timings = StageTimings(queue: .zero, [image])
        timings.queue = prediction.timings.queue
        timingsMs = timings.rounded
        // In whole microseconds: further digits are not significant.
        inferenceTime = (timingsMs.inference * 1000).rounded() / 1_000_000
        self.image = image.name
        width = image.result.width
        height = image.result.height
        threshold = prediction.threshold
        model = prediction.model.name
        device = prediction.model.summary.device
        precision = prediction.model.summary.precision
        verified = prediction.model.summary.verified.rawValue
        warning = image.warning
        annotated = image.drawn.map { Data($0).base64EncodedString() }
    }
}
