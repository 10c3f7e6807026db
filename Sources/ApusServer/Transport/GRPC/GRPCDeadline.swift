internal import Foundation
internal import GRPCCore
internal import NIOHPACK
internal import Remedies

/// The client's timeout (`grpc-timeout`), parsed here because grpc-swift traps on invalid values.
///
/// The header is `1*8DIGIT` and one of the units H, M, S, m, u, n (gRPC over HTTP/2, "Timeout").
package enum GRPCDeadline {
    private static let header = "grpc-timeout"
    /// Carries the timeout from the stream to the handler, in nanoseconds. Dropped if sent by a client.
    private static let internalHeader = "apus-timeout-ns"
    private static let units: [Character: Int64] = [
        "H": 3_600_000_000_000, "M": 60_000_000_000, "S": 1_000_000_000, "m": 1_000_000, "u": 1_000, "n": 1,
    ]
    /// Longer than any request.
    private static let longest: Int64 = 86_400_000_000_000

    /// Replaces the header with one that only this module reads.
    ///
    /// - Returns: the timeout; nil if the client sets none.
    static func pass(_ headers: inout HPACKHeaders) throws(ServerError) -> Duration? {
        headers.remove(name: internalHeader)
        let values = headers[header]
        guard let text = values.first else { return nil }
        guard values.count == 1, let nanoseconds = nanoseconds(text) else {
            throw .badRequest(
                "The grpc-timeout \(Quoted(text)) is not valid",
                remedy: "Send up to 8 digits and a unit: H, M, S, m, u or n.")
        }
        headers.remove(name: header)
        headers.add(name: internalHeader, value: "\(nanoseconds)")
        return .nanoseconds(nanoseconds)
    }

    package static func nanoseconds(_ text: String) -> Int64? {
        let digits = text.dropLast()
        guard let unit = text.last.flatMap({ units[$0] }), (1...8).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let count = Int64(digits)
        else { return nil }
        let (product, overflow) = count.multipliedReportingOverflow(by: unit)
        return overflow ? longest : min(product, longest)
    }

    /// The timeout of a call; nil for none.
    static func time(_ metadata: Metadata) -> Duration? {
        GRPCCall.first(internalHeader, metadata).flatMap { Int64($0) }.map { .nanoseconds($0) }
    }
}
