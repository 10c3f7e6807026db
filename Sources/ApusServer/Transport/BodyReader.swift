internal import Apus
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import Remedies

/// Reads bodies within limits: per body, over all bodies, and in time.
package final class BodyReader: Sendable {
    private let limit: Int
    /// Maximum bytes of all bodies.
    private let total: Int
    private let timeout: Duration
    private let held = NIOLockedValueBox(0)

    package init(limit: Int, total: Int, timeout: Duration) {
        self.limit = limit
        // A single body always fits, including its encoding.
        self.total = max(total, 2 * limit)
        self.timeout = timeout
    }

    struct Body: Sendable {
        var bytes: [UInt8]
        /// Accounts for them; keep it as long as the bytes or anything made from them.
        let lease: Lease
    }

    /// A share of the total body bytes, released on deinit.
    package final class Lease: Sendable {
        private let reader: BodyReader
        private let count = NIOLockedValueBox(0)

        fileprivate init(_ reader: BodyReader) { self.reader = reader }

        /// - Throws: `ServerError` if that exceeds the limit for all bodies.
        func take(_ bytes: Int) throws(ServerError) {
            let fits = reader.held.withLockedValue { held in
                guard held + bytes <= reader.total else { return false }
                held += bytes
                return true
            }
            guard fits else {
                throw ServerError(
                    .bodiesFull, "In-flight request bodies use all the memory reserved for them",
                    remedy: "Try again after 1 s.", retryAfter: 1)
            }
            count.withLockedValue { $0 += bytes }
        }

        deinit {
            let bytes = count.withLockedValue { $0 }
            reader.held.withLockedValue { $0 -= bytes }
        }
    }

    /// For bytes other than an HTTP body.
    package func lease() -> Lease { Lease(self) }

    /// The whole body. Rejects, without reading it, a body that is compressed or declares too large a length.
    ///
    /// - Parameter task: the request's, which is cancelled if the body isn't received in time.
    func read(_ request: Request, _ context: ServerContext, in task: RequestTask) async throws -> Body {
        if let coding = request.headers[.contentEncoding], coding.lowercased() != "identity" {
            throw ServerError.unsupportedEncoding(coding)
        }
        // A length beyond Int is too large as well.
        let declared = request.headers[.contentLength].map { Int($0) ?? .max }
        if let declared, declared > limit { throw tooLarge }
        context.client?.wantsBody()
        return try await task.within(timeout, orThrow: .tooSlow(timeout)) {
            try await collect(request.body, expected: declared)
        }
    }

    private func collect(_ body: RequestBody, expected: Int?) async throws -> Body {
        let lease = lease()
        var bytes: [UInt8] = []
        bytes.reserveCapacity(min(expected ?? 0, limit))
        for try await chunk in body {
            guard bytes.count + chunk.readableBytes <= limit else { throw tooLarge }
            try lease.take(chunk.readableBytes)
            bytes.append(contentsOf: chunk.readableBytesView)
        }
        return Body(bytes: bytes, lease: lease)
    }

    private var tooLarge: ServerError {
        .tooLarge(
            "The body has more than the \(limit) bytes that are allowed",
            remedy: "Send a smaller image, or raise the server's setting \(setting: .maxBody).")
    }
}
