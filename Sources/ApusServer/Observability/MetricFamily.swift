internal import NIOConcurrencyHelpers

/// The metrics with one name, one per set of label values. Each is created once, not on every request.
final class MetricFamily<Metric: Sendable>: Sendable {
    private let labels: [String]
    private let make: @Sendable ([(String, String)]) -> Metric
    private let metrics = NIOLockedValueBox<[[String]: Metric]>([:])

    /// - Parameter labels: the names of its labels, in output order.
    init(_ labels: [String], _ make: @escaping @Sendable (_ dimensions: [(String, String)]) -> Metric) {
        self.labels = labels
        self.make = make
    }

    /// - Parameter values: one per label, chosen by the server only: each set is kept forever.
    subscript(values: String...) -> Metric {
        precondition(values.count == labels.count, "one value per label")
        return metrics.withLockedValue { metrics in
            if let metric = metrics[values] { return metric }
            let metric = make(Array(zip(labels, values)))
            metrics[values] = metric
            return metric
        }
    }
}
