internal import Apus
internal import Foundation
package import HTTPTypes
package import Remedies

/// Why a request failed, independent of the protocol that reports it.
package struct ServerError: Error, Sendable {
    package var kind: ErrorKind
    /// What was wrong with this request.
    package var detail: String
    /// The remedy, as shown to clients.
    package var remedy: String?
    /// Seconds after which to retry.
    package var retryAfter: Int?
    /// The methods that the path allows, if another was used.
    package var allow: String?
    /// The content codings that are supported, if another was used.
    package var acceptEncoding: String?
    /// For logs only, as it may name the server's files.
    package var internalDetail: String?

    package init(
        _ kind: ErrorKind, _ detail: String, remedy: Remedy? = nil, retryAfter: Int? = nil,
        internalDetail: String? = nil
    ) {
        self.kind = kind
        self.detail = detail
        self.remedy = remedy?.text(for: .server)
        self.retryAfter = retryAfter
        self.internalDetail = internalDetail
    }

    package var status: HTTPResponse.Status { kind.status }

    /// The detail and the remedy.
    package var text: String { remedy.map { "\(detail). \($0)" } ?? detail }
}

extension ServerError {
    package static func badRequest(_ detail: String, remedy: Remedy? = nil) -> ServerError {
        ServerError(.badRequest, detail, remedy: remedy)
    }

    package static func badImage(_ detail: String, remedy: Remedy? = nil) -> ServerError {
        ServerError(.image, detail, remedy: remedy)
    }

    package static func tooLarge(_ detail: String, remedy: Remedy? = nil) -> ServerError {
        ServerError(.tooLarge, detail, remedy: remedy)
    }

    package static func unsupportedMediaType(_ detail: String, remedy: Remedy? = nil) -> ServerError {
        ServerError(.mediaType, detail, remedy: remedy)
    }

    package static func noSuchModel(_ name: String, _ known: [String]) -> ServerError {
        ServerError(
            .model, "There is no model named \(Quoted(name))",
            remedy: known.isEmpty ? nil : "Available models: \(known.joined(separator: ", ")).")
    }

    package static func overloaded(queue: Int, retryAfter: Int) -> ServerError {
        ServerError(
            .queueFull, "The queue of \(queue) requests is full", remedy: "Try again after \(retryAfter) s.",
            retryAfter: retryAfter)
    }

    package static func timedOut(_ timeout: Duration) -> ServerError {
        ServerError(
            .timeout, "The request did not complete within \(timeout.text)",
            remedy: "Try again, or raise the server's setting \(setting: .timeout).")
    }

    /// A body that was not received in time.
    static func tooSlow(_ timeout: Duration) -> ServerError {
        ServerError(
            .slowBody, "The body was not received within \(timeout.text)",
            remedy: "Send smaller images, or raise the server's setting \(setting: .bodyTimeout).")
    }

    /// A body with a content coding.
    static func unsupportedEncoding(_ coding: String) -> ServerError {
        var error = ServerError.unsupportedMediaType(
            "The Content-Encoding \(Quoted(coding)) is not supported", remedy: "Send the body uncompressed.")
        error.acceptEncoding = "identity"
        return error
    }

    package static let unauthorized = ServerError(
        .unauthorized, "Missing or invalid API key",
        remedy: "Send it as Authorization: Bearer KEY, or as X-API-Key: KEY.")

    package static let stopping = ServerError(
        .stopping, "The server is shutting down and accepts no more requests", retryAfter: 5)

    package static let cancelled = ServerError(.cancelled, "The client disconnected before the response")
}

extension Duration {
    /// "30 s", "0.5 s".
    package var text: String { String(format: "%g s", milliseconds / 1000) }
}
