internal import Apus
internal import Foundation

/// A detection response in the format of CodeProject.AI.
struct DeepStackDetection: Encodable {
    private struct Prediction: Encodable {
        var confidence: Float
        var label: String
        var xMin: Int
        var yMin: Int
        var xMax: Int
        var yMax: Int

        private enum CodingKeys: String, CodingKey {
            case confidence, label
            case xMin = "x_min"
            case yMin = "y_min"
            case xMax = "x_max"
            case yMax = "y_max"
        }
    }

    private var success = true
    private var predictions: [Prediction]
    private var count: Int
    private var message: String
    private var duration = 0
    private var command: String
    private var moduleId = "apus"
    private var executionProvider: String
    private var canUseGPU: Bool
    private var inferenceMs: Int
    private var processMs: Int
    private var analysisRoundTripMs: Int

    /// - Parameters:
    ///   - limit: the max number of objects; nil for all.
    ///   - duration: time since the request's head.
    init(_ prediction: Predictor.Prediction, limit: Int?, command: String, duration: Duration) {
        let image = prediction.images[0].result
        // Clients stop at the first unknown name, so classes without a name are omitted.
        let named = image.detections.compactMap { found -> Prediction? in
            guard let name = found.category else { return nil }
            func pixel(_ edge: Float, _ side: Int) -> Int { Int(min(max(edge.rounded(), 0), Float(side))) }
            return Prediction(
                confidence: found.score, label: name, xMin: pixel(found.box.xMin, image.width),
                yMin: pixel(found.box.yMin, image.height), xMax: pixel(found.box.xMax, image.width),
                yMax: pixel(found.box.yMax, image.height))
        }
        predictions = Array(named.sorted { $0.confidence > $1.confidence }.prefix(limit ?? .max))
        count = predictions.count
        let names = predictions.prefix(3).map(\.label).joined(separator: ", ")
        message =
            predictions.isEmpty ? "No objects found" : "Found \(names)\(predictions.count > 3 ? "..." : "")"
        self.command = command
        executionProvider = prediction.model.summary.device
        canUseGPU = executionProvider.hasPrefix("GPU")
        inferenceMs = Int(prediction.timings.inference.rounded())
        processMs = Int(duration.milliseconds.rounded())
        analysisRoundTripMs = processMs
    }
}

struct DeepStackModels: Encodable {
    private var success = true
    private var models: [String]
    private var duration = 0

    init(models: [String]) { self.models = models }
}

struct DeepStackStatus: Encodable {
    private var success = true
    private var name = "Apus"
    private var version: String
    private var isReady: Bool
    private var models: [String]

    init(version: String, isReady: Bool, models: [String]) {
        self.version = version
        self.isReady = isReady
        self.models = models
    }
}
