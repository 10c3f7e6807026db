package import Apus
package import Engine

extension Detector: ObjectDetector {
    package var summary: DetectorSummary {
        DetectorSummary(
            family: family, device: execution.device, deviceName: execution.deviceName, deviceReason: execution.reason,
            precision: execution.precision?.rawValue, canvases: execution.canvases.map(\.description),
            canvasReason: execution.shapeReason, verified: execution.verification.state, assumptions: assumptions,
            threshold: configuration.threshold,
            loading: execution.loading.runtime + execution.loading.device + execution.loading.model)
    }

    package var preparedShapes: PreparedShapes {
        let shapes = compiledShapes
        return PreparedShapes(
            fromCache: shapes.count { $0.origin == .cache }, compiled: shapes.count { $0.origin == .compiled })
    }

    package func detect(
        _ images: [Image], above threshold: Float, cancellation: RunCancellation?
    ) throws(ApusError) -> [DetectionResult] {
        try detect(images, threshold: threshold, cancellation: cancellation)
    }
}
