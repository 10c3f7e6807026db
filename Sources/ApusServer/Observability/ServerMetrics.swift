internal import Apus
internal import CoreMetrics
internal import Foundation
internal import HTTPTypes

/// What the server counts and times.
package final class ServerMetrics: Sendable {
    package let registry: PrometheusRegistry

    package init(registry: PrometheusRegistry = PrometheusRegistry()) {
        self.registry = registry
        for (name, text) in [
            ("apus_requests_total", "Requests answered, by route, model and status."),
            ("apus_request_duration_seconds", "From a request's head to its answer."),
            ("apus_stage_duration_seconds", "A picture's time, by stage."),
            ("apus_rejected_total", "Requests refused because the server was full or stopping."),
            ("apus_requests_in_flight", "Requests that are being worked on."),
            ("apus_admitted", "Requests that have a place: they wait or run."),
            ("apus_queue_depth", "Requests that wait to be run."),
            ("apus_running", "Requests that are being run."),
            ("apus_pictures_total", "Pictures that were run."),
            ("apus_objects_total", "Objects that were found."),
            ("apus_model_info", "1 for each model in service, with what runs it."),
            ("apus_model_verified", "1 if apus verify found the answers right, 0 if wrong, -1 if never asked."),
            ("apus_model_ready", "1 if the model is in service on a device that can be trusted."),
            (
                "apus_model_cache_hits",
                "Shapes that were read from the cache of compiled models when the model was loaded."
            ),
            ("apus_model_compilations", "Shapes that were compiled when the model was loaded."),
            ("process_resident_memory_bytes", "Memory of the process."),
            ("process_start_time_seconds", "When the process started, since 1970."),
        ] { registry.describe(name, text) }
        registry.describe("apus_batch_size", "Pictures of a run.", buckets: [1, 2, 4, 8, 16, 32])
        // From the start, so that the first refusal is an increase.
        for reason in ["queue-full", "bodies-full", "loading", "device-fault", "stopping"] {
            Counter(label: "apus_rejected_total", dimensions: [("reason", reason)], factory: registry)
                .increment(by: 0)
        }
        Gauge(label: "process_start_time_seconds", factory: registry).record(Date().timeIntervalSince1970)
    }

    // MARK: Requests

    func began() { Meter(label: "apus_requests_in_flight", factory: registry).increment() }

    func ended(
        route: String, method: String, status: Int, duration: Duration, _ facts: RequestRecord.Facts
    ) {
        Meter(label: "apus_requests_in_flight", factory: registry).decrement()
        // What a client made up is no label.
        let method =
            ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "gRPC"].contains(method) ? method : "other"
        Counter(
            label: "apus_requests_total",
            dimensions: [
                ("route", route), ("method", method), ("model", facts.model ?? ""), ("status", "\(status)"),
            ], factory: registry
        ).increment()
        CoreMetrics.Timer(label: "apus_request_duration_seconds", dimensions: [("route", route)], factory: registry)
            .recordNanoseconds(Int64(duration.milliseconds * 1e6))
        if let error = facts.error, error.status == .serviceUnavailable {
            Counter(label: "apus_rejected_total", dimensions: [("reason", error.kind)], factory: registry)
                .increment()
        }
        guard let timings = facts.timings, let model = facts.model else { return }
        for (stage, milliseconds) in timings.stages {
            CoreMetrics.Timer(
                label: "apus_stage_duration_seconds", dimensions: [("stage", stage), ("model", model)],
                factory: registry
            ).recordNanoseconds(Int64(milliseconds * 1e6))
        }
        Counter(label: "apus_pictures_total", dimensions: [("model", model)], factory: registry)
            .increment(by: facts.pictures)
        Counter(label: "apus_objects_total", dimensions: [("model", model)], factory: registry)
            .increment(by: facts.objects ?? 0)
        Recorder(label: "apus_batch_size", dimensions: [("model", model)], aggregate: true, factory: registry)
            .record(facts.batch ?? 1)
    }

    // MARK: At the time of asking

    /// All metrics as Prometheus reads them, those of the queue and the models as they are now.
    package func text(_ queue: InferenceQueue, _ models: ModelRegistry) -> String {
        let load = queue.load
        for (name, value) in [
            ("apus_admitted", load.admitted), ("apus_queue_depth", load.queued), ("apus_running", load.running),
        ] { Gauge(label: name, factory: registry).record(value) }
        for (name, state, version, _) in models.all {
            guard case .ready(let model) = state else {
                for label in [
                    "apus_model_info", "apus_model_verified", "apus_model_cache_hits", "apus_model_compilations",
                ] {
                    registry.remove(label, model: name)
                }
                Gauge(label: "apus_model_ready", dimensions: [("model", name)], factory: registry).record(0)
                continue
            }
            let detector = model.detector
            let execution = detector.execution
            let verified =
                switch execution.verification.state {
                case .yes: 1
                case .no: 0
                case .never: -1
                }
            let shapes = detector.compiledShapes
            for (label, value) in [
                ("apus_model_ready", detector.deviceFault == nil ? 1 : 0), ("apus_model_verified", verified),
                ("apus_model_cache_hits", shapes.count { $0.origin == .cache }),
                ("apus_model_compilations", shapes.count { $0.origin == .compiled }),
            ] { Gauge(label: label, dimensions: [("model", name)], factory: registry).record(value) }
            registry.replace(
                "apus_model_info", model: name,
                [
                    ("model", name), ("version", "\(version)"), ("family", detector.family),
                    ("device", execution.device), ("precision", execution.precision?.rawValue ?? "own types"),
                ])
        }
        if let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .ascii))?
            .split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        {
            Gauge(label: "process_resident_memory_bytes", factory: registry).record(
                pages * Int(sysconf(Int32(_SC_PAGESIZE))))
        }
        return registry.text
    }
}
