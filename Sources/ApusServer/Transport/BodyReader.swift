internal import Apus
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import Remedies

/// Reads bodies within limits: of one, of all that are being read, and of time.
package final class BodyReader: Sendable {
    private let limit: Int
    /// Of all bodies together.
    private let total: Int
    private let timeout: Duration
    private let held = NIOLockedValueBox(0)

    package init(limit: Int, total: Int, timeout: Duration) {
        self.limit = limit
        // One alone always fits, in whatever it is packed.
        self.total = max(total, 2 * limit)
        self.timeout = timeout
    }

    struct Body: Sendable {
        var bytes: [UInt8]
        /// By which they count; to be kept as long as they or what was made of them.
        let lease: Lease
    }

    /// A share of the bytes that all bodies may have; given back when this goes away.
    package final class Lease: Sendable {
        private let reader: BodyReader
        private let count = NIOLockedValueBox(0)

        fileprivate init(_ reader: BodyReader) { self.reader = reader }

        /// - Throws: `ServerError` if the bodies that are held leave no space for so many more.
        func take(_ bytes: Int) throws(ServerError) {
            let fits = reader.held.withLockedValue { held in
                guard held + bytes <= reader.total else { return false }
                held += bytes
                return true
            }
            guard fits else {
                throw ServerError(
                    .bodiesFull, "The bodies being received take all the memory that is set aside for them",
                    remedy: "Try again after 1 s.", retryAfter: 1)
            }
            count.withLockedValue { $0 += bytes }
        }

        deinit {
            let bytes = count.withLockedValue { $0 }
            reader.held.withLockedValue { $0 -= bytes }
        }
    }

    /// For bytes that are not an HTTP body.
    package func lease() -> Lease { Lease(self) }

    /// The whole body. One that declares that it is too large, or is compressed, is not read.
    ///
    /// - Parameter task: the request's, which is cancelled if the body isn't received in time.
    func read(_ request: Request, _ context: ServerContext, in task: RequestTask) async throws -> Body {
        if let coding = request.headers[.contentEncoding], coding.lowercased() != "identity" {
            throw ServerError.unsupportedEncoding(coding)
        }
        // A length beyond Int is one too large as well.
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
