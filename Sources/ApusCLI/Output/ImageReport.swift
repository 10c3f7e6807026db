import Apus
import Foundation
import Remedies

/// The result of `apus detect` for one image; its JSON is documented in docs/detect.md.
struct ImageReport: Encodable {
    struct Result: Encodable {
        var score: Float
        var label: Int
        var category: String?
        /// Left, top, right, bottom in pixels.
        var boxes: [Float]
    }

    struct Milliseconds: Encodable {
        var decode: Double
        var preprocess: Double
        var inference: Double
        var postprocess: Double
    }

    struct LoadMilliseconds: Encodable {
        var runtime: Double
        var device: Double
        var model: Double
    }

    var image: String
    var width: Int
    var height: Int
    var results: [Result]
    var threshold: Float
    var model: String
    var family: String
    var assumptions: [String]
    var provider: String
    var device: String
    var deviceName: String?
    var deviceReason: String
    var precision: String?
    var nodes: [String: Int]?
    /// The canvases that images are padded to; empty if each image keeps its own size.
    var canvases: [String]
    /// "yes", "no" or "never".
    var verified: String
    var timingsMs: Milliseconds
    /// Before the first image; the same for all.
    var loadMs: LoadMilliseconds
    /// The annotated copy.
    var annotated: String?
    var warning: String?

    init(
        name: String, result: DetectionResult, decode: Duration, warning: String?, detector: Detector,
        annotated: String?
    ) {
        self.image = name
        width = result.width
        height = result.height
        results = result.detections.map {
            Result(
                score: $0.score, label: $0.label, category: $0.category,
                boxes: [$0.box.xMin, $0.box.yMin, $0.box.xMax, $0.box.yMax])
        }
        threshold = detector.configuration.threshold
        model = detector.modelName
        family = detector.family
        assumptions = detector.assumptions
        provider = detector.execution.provider
        device = detector.execution.device
        deviceName = detector.execution.deviceName
        deviceReason = detector.execution.reason
        precision = detector.execution.precision?.rawValue
        nodes = detector.execution.nodes
        canvases = detector.execution.canvases.map(\.description)
        verified = detector.execution.verification.state.rawValue
        func rounded(_ duration: Duration) -> Double { (duration.milliseconds * 1000).rounded() / 1000 }
        timingsMs = Milliseconds(
            decode: rounded(decode), preprocess: rounded(result.timings.preprocess),
            inference: rounded(result.timings.inference), postprocess: rounded(result.timings.postprocess))
        let loading = detector.execution.loading
        loadMs = LoadMilliseconds(
            runtime: rounded(loading.runtime), device: rounded(loading.device), model: rounded(loading.model))
        self.annotated = annotated
        self.warning = warning
    }
}

/// A failed image, in JSON: it keeps its place among the others.
struct ImageFailure: Encodable {
    struct Failure: Encodable {
        var code: String
        var message: String
        var remedy: String?
    }

    var image: String
    var error: Failure

    init(name: String, error: ApusError) {
        image = name
        self.error = Failure(
            code: error.code.name, message: "could not \(error.doing): \(error.cause)",
            remedy: error.advice?.text(for: .command))
    }
}
