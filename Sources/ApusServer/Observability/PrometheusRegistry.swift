package import CoreMetrics
internal import Foundation

/// Collects metrics (swift-metrics) and writes them in Prometheus' format.
///
/// Format: Prometheus' "Exposition formats", text version 0.0.4. Timers are histograms in seconds.
package final class PrometheusRegistry: MetricsFactory, @unchecked Sendable {  // locked
    private struct Key: Hashable, Comparable {
        var name: String
        var labels: String

        static func < (one: Key, other: Key) -> Bool { (one.name, one.labels) < (other.name, other.labels) }
    }

    /// A metric with one name and one set of labels.
    private enum Value {
        case counter(Double)
        case gauge(Double)
        case histogram(counts: [Int], sum: Double)
    }

    private let lock = NSLock()
    private var values: [Key: Value] = [:]
    private var help: [String: String] = [:]
    private var buckets: [String: [Double]] = [:]
    /// For requests of a millisecond to a minute.
    private static let secondBuckets = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]
    /// Series beyond this are dropped: labels chosen by clients must not exhaust memory.
    private static let maxSeries = 10_000

    package init() {}

    /// A metric's description and, for histograms, the upper bounds of its buckets.
    package func describe(_ name: String, _ text: String, buckets bounds: [Double]? = nil) {
        lock.withLock {
            help[name] = text
            buckets[name] = bounds
        }
    }

    /// Sets an info gauge (value 1, facts as labels), replacing the one of this model.
    func replace(_ name: String, model: String, _ dimensions: [(String, String)]) {
        let series = Series(self, name, dimensions)
        let own = Series(self, name, [("model", model)]).key.labels
        lock.withLock {
            for key in values.keys where key.name == name && key.labels.hasPrefix(own + ",") { values[key] = nil }
            values[series.key] = .gauge(1)
        }
    }

    /// Removes the metrics of a model.
    func remove(_ name: String, model: String) {
        let own = Series(self, name, [("model", model)]).key.labels
        lock.withLock {
            for key in values.keys where key.name == name && (key.labels == own || key.labels.hasPrefix(own + ",")) {
                values[key] = nil
            }
        }
    }

    /// All metrics, sorted by name.
    package var text: String {
        let (values, help, buckets) = lock.withLock { (self.values, self.help, self.buckets) }
        var lines: [String] = []
        var last = ""
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            if key.name != last {
                last = key.name
                if let text = help[key.name] { lines.append("# HELP \(key.name) \(text)") }
                let type =
                    switch value {
                    case .counter: "counter"
                    case .gauge: "gauge"
                    case .histogram: "histogram"
                    }
                lines.append("# TYPE \(key.name) \(type)")
            }
            switch value {
            case .counter(let number), .gauge(let number):
                lines.append("\(key.name)\(braced(key.labels)) \(PrometheusRegistry.number(number))")
            case .histogram(let counts, let sum):
                var total = 0
                let bounds = buckets[key.name] ?? PrometheusRegistry.secondBuckets
                for (bound, count) in zip(bounds + [Double.infinity], counts) {
                    total += count
                    let edge = "le=\"\(PrometheusRegistry.number(bound))\""
                    let labels = key.labels.isEmpty ? edge : key.labels + "," + edge
                    lines.append("\(key.name)_bucket{\(labels)} \(total)")
                }
                lines.append("\(key.name)_sum\(braced(key.labels)) \(PrometheusRegistry.number(sum))")
                lines.append("\(key.name)_count\(braced(key.labels)) \(total)")
            }
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private func braced(_ labels: String) -> String { labels.isEmpty ? "" : "{\(labels)}" }

    private static func number(_ value: Double) -> String {
        if value == .infinity { return "+Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
    }

    // MARK: MetricsFactory

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        let series = Series(self, label, dimensions)
        update(series.key) { $0 ?? .counter(0) }
        return series
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        Series(self, label, dimensions)
    }

    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        Series(self, label, dimensions, isHistogram: aggregate)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        Series(self, label, dimensions)
    }

    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}

    private func update(_ key: Key, _ change: (Value?) -> Value) {
        lock.withLock {
            guard values[key] != nil || values.count < PrometheusRegistry.maxSeries else { return }
            values[key] = change(values[key])
        }
    }

    private func observe(_ key: Key, _ number: Double) {
        let bounds = lock.withLock { buckets[key.name] } ?? PrometheusRegistry.secondBuckets
        update(key) { value in
            var (counts, sum) = ([Int](repeating: 0, count: bounds.count + 1), 0.0)
            if case .histogram(let old, let total) = value { (counts, sum) = (old, total) }
            counts[bounds.firstIndex { number <= $0 } ?? bounds.count] += 1
            return .histogram(counts: counts, sum: sum + number)
        }
    }

    /// One metric with one set of labels.
    private final class Series: CounterHandler, MeterHandler, RecorderHandler, TimerHandler {
        let key: Key
        private let registry: PrometheusRegistry
        private let isHistogram: Bool

        init(
            _ registry: PrometheusRegistry, _ label: String, _ dimensions: [(String, String)],
            isHistogram: Bool = false
        ) {
            self.registry = registry
            self.isHistogram = isHistogram
            key = Key(
                name: Series.name(label),
                labels: dimensions.map { "\(Series.name($0.0))=\"\(Series.escaped($0.1))\"" }.joined(separator: ",")
            )
        }

        func increment(by amount: Int64) { add(Double(amount)) }

        func reset() { registry.update(key) { _ in .counter(0) } }

        private func add(_ amount: Double) {
            registry.update(key) { value in
                if case .counter(let old) = value { .counter(old + amount) } else { .counter(amount) }
            }
        }

        func set(_ value: Int64) { set(Double(value)) }

        func set(_ value: Double) { registry.update(key) { _ in .gauge(value) } }

        func increment(by amount: Double) { change(by: amount) }

        func decrement(by amount: Double) { change(by: -amount) }

        private func change(by amount: Double) {
            registry.update(key) { value in
                if case .gauge(let old) = value { .gauge(old + amount) } else { .gauge(amount) }
            }
        }

        func record(_ value: Int64) { record(Double(value)) }

        func record(_ value: Double) {
            if isHistogram { registry.observe(key, value) } else { set(value) }
        }

        func recordNanoseconds(_ duration: Int64) { registry.observe(key, Double(duration) / 1e9) }

        /// Letters, digits and underscores only.
        private static func name(_ text: String) -> String {
            String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "_" || $0 == ":" ? $0 : "_" })
        }

        private static func escaped(_ text: String) -> String {
            ServerLog.oneLine(text).replacing(#"\"#, with: #"\\"#).replacing("\"", with: #"\""#)
        }
    }
}
