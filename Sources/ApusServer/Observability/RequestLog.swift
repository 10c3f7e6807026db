internal import Apus
internal import Foundation
package import Logging

/// Records each request, its result and its cost: one log line, and the metrics.
package struct RequestLog: Sendable {
    let logger: Logger
    let metrics: ServerMetrics

    package init(logger: Logger, metrics: ServerMetrics) {
        self.logger = logger
        self.metrics = metrics
    }

    func began() { metrics.began() }

    /// - Parameters:
    ///   - name: "POST /predict", or the name of a call.
    ///   - route: the label in metrics.
    ///   - isProbe: whether it is polled, and would flood the log.
    func ended(
        _ name: String, route: String, method: String, status: Int, duration: Duration, isProbe: Bool = false,
        _ facts: RequestRecord.Facts
    ) {
        metrics.ended(route: route, method: method, status: status, duration: duration, facts)
        var metadata: Logger.Metadata = [
            "request_id": "\(facts.requestID)", "ms": "\(RequestLog.text(duration.milliseconds))",
        ]
        if let trace = facts.trace { metadata["trace_id"] = "\(trace.traceID)" }
        if let model = facts.model { metadata["model"] = "\(model)" }
        if let device = facts.device { metadata["device"] = "\(device)" }
        if let objects = facts.objects { metadata["objects"] = "\(objects)" }
        if let batch = facts.batch, batch > 1 { metadata["batch"] = "\(batch)" }
        if let timings = facts.timings {
            for (name, value) in timings.stages { metadata["\(name)_ms"] = "\(RequestLog.text(value))" }
        }
        if let error = facts.error {
            metadata["error"] = "\(error.kind.name): \(error.internalDetail ?? error.detail)"
        }
        let isFailure = status >= 500 && status != 503
        logger.log(
            level: isFailure ? .error : isProbe && status < 400 ? .debug : .info, "\(name) \(status)",
            metadata: metadata)
    }

    private static func text(_ milliseconds: Double) -> String { String(format: "%.1f", milliseconds) }
}
