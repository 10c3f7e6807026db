internal import NIOConcurrencyHelpers

/// A request's cost for the log and the metrics, filled in by whatever handles it.
package final class RequestRecord: Sendable {
    struct Facts {
        var requestID = ""
        var trace: TraceContext?
        var model: String?
        var device: String?
        var images = 0
        var objects: Int?
        var batch: Int?
        var timings: StageTimings?
        var error: ServerError?
        /// Whether the handler writes the log line.
        var isLogged = false
    }

    private let facts = NIOLockedValueBox(Facts())

    package init() {}

    var current: Facts { facts.withLockedValue { $0 } }

    func update(_ change: (inout Facts) -> Void) { facts.withLockedValue { change(&$0) } }
}
