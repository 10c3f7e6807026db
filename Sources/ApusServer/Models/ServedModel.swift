internal import Apus
internal import Logging

/// A loaded, compiled and warmed-up model. A request keeps the model it began with when a newer one replaces it.
package final class ServedModel: Sendable {
    package let name: String
    /// The number of loads of a model with this name, from 1.
    package let version: Int
    package let detector: any ObjectDetector
    package let summary: DetectorSummary

    package init(name: String, version: Int, detector: any ObjectDetector) {
        self.name = name
        self.version = version
        self.detector = detector
        summary = detector.summary
    }

    /// For the log.
    var facts: Logger.Metadata {
        [
            "model": "\(name)", "version": "\(version)", "device": "\(summary.device)",
            "precision": "\(summary.precision ?? "own types")", "reason": "\(summary.deviceReason)",
            "shapes": "\(summary.canvasReason)", "verified": "\(summary.verified.rawValue)",
            "load_ms": "\(Int(summary.loading.milliseconds))",
        ]
    }
}
