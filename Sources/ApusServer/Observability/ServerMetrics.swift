internal import Apus
internal import CoreMetrics
internal import Foundation
internal import HTTPTypes

/// The server's metrics.
package final class ServerMetrics: Sendable {
    package let registry: PrometheusRegistry

    private let requests: MetricFamily<Counter>
    private let durations: MetricFamily<CoreMetrics.Timer>
    private let stages: MetricFamily<CoreMetrics.Timer>
    private let rejected: MetricFamily<Counter>
    private let inFlight: Meter
    private let images: MetricFamily<Counter>
    private let objects: MetricFamily<Counter>
    private let batches: MetricFamily<Recorder>
    private let admitted: Gauge
    private let queued: Gauge
    private let running: Gauge
    private let residentMemory: Gauge
    private let modelReady: MetricFamily<Gauge>
    private let modelVerified: MetricFamily<Gauge>
    private let cacheHits: MetricFamily<Gauge>
    private let compilations: MetricFamily<Gauge>

    package init(registry: PrometheusRegistry = PrometheusRegistry()) {
        self.registry = registry
        ServerMetrics.describe(in: registry)
        func counters(_ name: String, _ labels: String...) -> MetricFamily<Counter> {
            MetricFamily(labels) { Counter(label: name, dimensions: $0, factory: registry) }
        }
        func timers(_ name: String, _ labels: String...) -> MetricFamily<CoreMetrics.Timer> {
            MetricFamily(labels) { CoreMetrics.Timer(label: name, dimensions: $0, factory: registry) }
        }
        func gauges(_ name: String) -> MetricFamily<Gauge> {
            MetricFamily(["model"]) { Gauge(label: name, dimensions: $0, factory: registry) }
        }
        requests = counters("apus_requests_total", "route", "method", "model", "status")
        durations = timers("apus_request_duration_seconds", "route")
        stages = timers("apus_stage_duration_seconds", "stage", "model")
        rejected = counters("apus_rejected_total", "reason")
        inFlight = Meter(label: "apus_requests_in_flight", factory: registry)
        images = counters("apus_pictures_total", "model")
        objects = counters("apus_objects_total", "model")
        batches = MetricFamily(["model"]) {
            Recorder(label: "apus_batch_size", dimensions: $0, aggregate: true, factory: registry)
        }
        admitted = Gauge(label: "apus_admitted", factory: registry)
        queued = Gauge(label: "apus_queue_depth", factory: registry)
        running = Gauge(label: "apus_running", factory: registry)
        residentMemory = Gauge(label: "process_resident_memory_bytes", factory: registry)
        modelReady = gauges("apus_model_ready")
        modelVerified = gauges("apus_model_verified")
        cacheHits = gauges("apus_model_cache_hits")
        compilations = gauges("apus_model_compilations")
        // Created at startup, so that the first rejection is an increase.
        for kind in [ErrorKind.queueFull, .bodiesFull, .loading, .deviceFault, .stopping] {
            rejected[kind.name].increment(by: 0)
        }
        Gauge(label: "process_start_time_seconds", factory: registry).record(Date().timeIntervalSince1970)
    }

    private static func describe(in registry: PrometheusRegistry) {
        for (name, text) in [
            ("apus_requests_total", "Completed requests, by route, model and status."),
            ("apus_request_duration_seconds", "From a request's head to its response."),
            ("apus_stage_duration_seconds", "Time spent on an image, by stage."),
            ("apus_rejected_total", "Requests rejected because the server was busy or stopping."),
            ("apus_requests_in_flight", "Requests in progress."),
            ("apus_admitted", "Requests that are waiting or running."),
            ("apus_queue_depth", "Requests that are waiting."),
            ("apus_running", "Requests that are running."),
            ("apus_pictures_total", "Images processed."),
            ("apus_objects_total", "Objects detected."),
            ("apus_model_info", "1 for each model in service, with its device and precision."),
            ("apus_model_verified", "1 if apus verify found the results correct, 0 if wrong, -1 if not verified."),
            ("apus_model_ready", "1 if the model is in service on a device without faults."),
            ("apus_model_cache_hits", "Shapes read from the cache of compiled models when the model was loaded."),
            ("apus_model_compilations", "Shapes compiled when the model was loaded."),
            ("process_resident_memory_bytes", "Resident memory of the process."),
            ("process_start_time_seconds", "Start time of the process, since the Unix epoch."),
        ] { registry.describe(name, text) }
        registry.describe("apus_batch_size", "Images per run.", buckets: [1, 2, 4, 8, 16, 32])
    }

    // MARK: Requests

    func began() { inFlight.increment() }

    func ended(route: String, method: String, status: Int, duration: Duration, _ facts: RequestRecord.Facts) {
        inFlight.decrement()
        // Arbitrary client values must not become labels.
        let method = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "gRPC"].contains(method) ? method : "other"
        requests[route, method, facts.model ?? "", "\(status)"].increment()
        durations[route].recordNanoseconds(Int64(duration.milliseconds * 1e6))
        if let error = facts.error, error.status == .serviceUnavailable { rejected[error.kind.name].increment() }
        guard let timings = facts.timings, let model = facts.model else { return }
        for (stage, milliseconds) in timings.stages {
            stages[stage, model].recordNanoseconds(Int64(milliseconds * 1e6))
        }
        images[model].increment(by: facts.images)
        objects[model].increment(by: facts.objects ?? 0)
        batches[model].record(facts.batch ?? 1)
    }

    // MARK: On request

    /// All metrics in Prometheus' text format, with the current state of the queue and the models.
    package func text(_ queue: InferenceQueue, _ models: ModelRegistry) -> String {
        let load = queue.load
        admitted.record(load.admitted)
        queued.record(load.queued)
        running.record(load.running)
        for (name, state, version, _) in models.all {
            if case .ready(let model) = state {
                record(model, name, version: version)
            } else {
                for label in [
                    "apus_model_info", "apus_model_verified", "apus_model_cache_hits", "apus_model_compilations",
                ] { registry.remove(label, model: name) }
                modelReady[name].record(0)
            }
        }
        if let bytes = ServerMetrics.residentBytes { residentMemory.record(bytes) }
        return registry.text
    }

    private func record(_ model: ServedModel, _ name: String, version: Int) {
        let (summary, shapes) = (model.summary, model.detector.preparedShapes)
        modelReady[name].record(model.detector.deviceFault == nil ? 1 : 0)
        let verified =
            switch summary.verified {
            case .yes: 1
            case .no: 0
            case .never: -1
            }
        modelVerified[name].record(verified)
        cacheHits[name].record(shapes.fromCache)
        compilations[name].record(shapes.compiled)
        registry.replace(
            "apus_model_info", model: name,
            [
                ("model", name), ("version", "\(version)"), ("family", summary.family), ("device", summary.device),
                ("precision", summary.precision ?? "own types"),
            ])
    }

    private static var residentBytes: Int? {
        let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .ascii))?
            .split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return pages.map { $0 * Int(sysconf(Int32(_SC_PAGESIZE))) }
    }
}
