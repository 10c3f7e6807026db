internal import Apus

/// What `POST /predict` says of one picture.
struct PredictResponse: Encodable {
    struct Result: Encodable {
        var score: Float
        var label: Int
        var category: String?
        /// Left, top, right, bottom in pixels of the upright picture.
        var boxes: [Float]
    }

    var results: [Result]
    /// In seconds.
    var inferenceTime: Double
    /// What the client calls it.
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
    /// What the decoder found wrong, but could work around.
    var warning: String?
    /// The picture with boxes drawn on it, in base64, where JSON and `annotate` were asked for.
    var annotated: String?

    init(_ picture: PictureResult, waited: Double, threshold: Float, model: ServedModel) {
        results = picture.result.detections.map {
            Result(
                score: $0.score, label: $0.label, category: $0.category,
                boxes: [$0.box.xMin, $0.box.yMin, $0.box.xMax, $0.box.yMax])
        }
        let own = picture.result.timings
        let execution = model.detector.execution
        timingsMs =
            StageTimings(
                queue: waited, decode: picture.decode.milliseconds, preprocess: own.preprocess.milliseconds,
                inference: own.inference.milliseconds, postprocess: own.postprocess.milliseconds
            ).rounded
        inferenceTime = timingsMs.inference / 1000
        image = picture.name
        width = picture.result.width
        height = picture.result.height
        self.threshold = threshold
        self.model = model.name
        device = execution.device
        precision = execution.precision?.rawValue
        verified = execution.verification.state.rawValue
        warning = picture.warning
    }
}
