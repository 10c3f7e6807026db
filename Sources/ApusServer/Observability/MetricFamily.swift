internal import NIOConcurrencyHelpers

/// The metrics of one name, one for each set of label values. Each is made once, not with every request.
final class MetricFamily<Metric: Sendable>: Sendable {
    private let labels: [String]
    private let make: @Sendable ([(String, String)]) -> Metric
    private let metrics = NIOLockedValueBox<[[String]: Metric]>([:])

    /// - Parameter labels: the names of its labels, in the order in which they are written.
    init(_ labels: [String], _ make: @escaping @Sendable (_ dimensions: [(String, String)]) -> Metric) {
        self.labels = labels
        self.make = make
    }

    /// - Parameter values: one for each label, of which the server chooses the possible ones: each set is kept for good.
    subscript(values: String...) -> Metric {
        precondition(values.count == labels.count, "a value for each label")
        return metrics.withLockedValue { metrics in
            if let metric = metrics[values] { return metric }
            let metric = make(Array(zip(labels, values)))
            metrics[values] = metric
            return metric
        }
    }
}
