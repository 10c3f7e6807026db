internal import Foundation
package import Hummingbird
internal import NIOConcurrencyHelpers

/// What goes with a request from middleware to route.
package struct ServerContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// What is to be said of the request when it is answered.
    let record = RequestRecord()

    /// Nil where a request comes from no connection, as in tests.
    let client: ClientWatch?

    package init(source: Source) {
        coreContext = .init(source: source)
        client = ClientWatch.of(source.channel)
    }
}

/// What a request cost, filled in by whoever works on it.
final class RequestRecord: Sendable {
    struct Facts {
        var requestID = ""
        var trace: TraceContext?
        var model: String?
        var device: String?
        var pictures = 0
        var objects: Int?
        var batch: Int?
        var timings: StageTimings?
        var error: ServerError?
        /// Whether who works on it writes its line.
        var isLogged = false
    }

    private let facts = NIOLockedValueBox(Facts())

    var current: Facts { facts.withLockedValue { $0 } }

    func update(_ change: (inout Facts) -> Void) { facts.withLockedValue { change(&$0) } }
}

/// Where a request's time went.
struct StageTimings: Sendable, Codable, Equatable {
    var queue = 0.0
    var decode = 0.0
    var preprocess = 0.0
    var inference = 0.0
    var postprocess = 0.0

    /// By name, in the order of the work.
    var stages: [(name: String, milliseconds: Double)] {
        [
            ("queue", queue), ("decode", decode), ("preprocess", preprocess), ("inference", inference),
            ("postprocess", postprocess),
        ]
    }

    /// To a thousandth of a millisecond.
    var rounded: StageTimings {
        func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
        return StageTimings(
            queue: rounded(queue), decode: rounded(decode), preprocess: rounded(preprocess),
            inference: rounded(inference), postprocess: rounded(postprocess))
    }
}

/// W3C Trace Context, version 00: which trace a request belongs to.
struct TraceContext: Sendable, Equatable {
    var traceID: String
    var parentID: String
    var flags: String

    /// Reads a `traceparent` header; nil if it is not valid, which the standard says to ignore.
    init?(_ header: String) {
        let parts = header.split(separator: "-", omittingEmptySubsequences: false)
        func isHex(_ text: Substring, _ count: Int) -> Bool {
            text.utf8.count == count
                && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        }
        guard parts.count >= 4, isHex(parts[0], 2), parts[0] != "ff", parts[0] != "00" || parts.count == 4,
            isHex(parts[1], 32), isHex(parts[2], 16), isHex(parts[3], 2),
            parts[1].contains(where: { $0 != "0" }), parts[2].contains(where: { $0 != "0" })
        else { return nil }
        (traceID, parentID, flags) = (String(parts[1]), String(parts[2]), String(parts[3]))
    }

    /// The same trace, with a span of our own.
    func child() -> TraceContext {
        var own = self
        own.parentID = String(format: "%016llx", UInt64.random(in: 1...UInt64.max))
        return own
    }

    var header: String { "00-\(traceID)-\(parentID)-\(flags)" }
}
