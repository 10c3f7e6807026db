internal import Apus
internal import Logging

/// A model that is loaded, compiled and warmed up. Requests keep the one they began with when a newer one takes its place.
package final class ServedModel: Sendable {
    package let name: String
    /// How often a model of this name was loaded, from 1.
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
