internal import Foundation

/// W3C Trace Context, version 00: which trace a request belongs to.
struct TraceContext: Sendable, Equatable {
    var traceID: String
    var parentID: String
    var flags: String

    /// Parses a `traceparent` header; nil if invalid, which the standard requires to be ignored.
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

    /// The same trace, with a new span.
    func child() -> TraceContext {
        var own = self
        own.parentID = String(format: "%016llx", UInt64.random(in: 1...UInt64.max))
        return own
    }

    var header: String { "00-\(traceID)-\(parentID)-\(flags)" }
}
