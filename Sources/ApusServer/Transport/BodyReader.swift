internal import Apus
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import NIOConcurrencyHelpers
internal import NIOCore

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
                    "bodies-full", .serviceUnavailable, title: "The server is busy",
                    detail: "The bodies that are being received take all the memory that is set aside for them",
                    remedy: "Try again after 1 s.", retryAfter: 1)
            }
            count.withLockedValue { $0 += bytes }
        }

        deinit {
            let bytes = count.withLockedValue { $0 }
            reader.held.withLockedValue { $0 -= bytes }
        }
    }

    /// For bytes that come otherwise than as a body.
    package func lease() -> Lease { Lease(self) }

    /// The whole body. One that declares that it is too large, or is compressed, is not read.
    func read(_ request: Request, _ context: ServerContext) async throws -> Body {
        if let coding = request.headers[.contentEncoding], coding.lowercased() != "identity" {
            throw ServerError.unsupportedEncoding(coding)
        }
        // A length beyond Int is one too large as well.
        let declared = request.headers[.contentLength].map { Int($0) ?? .max }
        if let declared, declared > limit { throw tooLarge }
        context.client?.wantsBody()
        let body = request.body
        return try await Deadline.run(within: timeout, orThrow: .tooSlow(timeout)) {
            try await self.collect(body, expected: declared)
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
            remedy: "Send a smaller picture, or give the server a larger --max-body.")
    }
}

extension ServerError {
    /// A body with a content coding.
    static func unsupportedEncoding(_ coding: String) -> ServerError {
        var error = ServerError.unsupportedMediaType(
            "The Content-Encoding \(Quoted(coding)) is not supported", remedy: "Send the body uncompressed.")
        error.acceptEncoding = "identity"
        return error
    }

    /// A body that had not come whole within a time.
    static func tooSlow(_ timeout: Duration) -> ServerError {
        ServerError(
            "slow-body", .requestTimeout, title: "The body came too slowly",
            detail: "The body had not come whole within \(timeout.text)",
            remedy: "Send smaller pictures, or give the server a longer --body-timeout.")
    }
}
