package import GRPCCore
package import HTTPTypes

/// The kind of failure that a response reports: what clients see of it in each protocol.
package struct ErrorKind: Sendable, Hashable {
    /// The identifier, in a problem's `type`, in metrics and in the log. `/docs` explains each.
    package let name: String
    package let status: HTTPResponse.Status
    package let grpcCode: RPCError.Code
    /// A short title, the same for every error of the kind.
    package let title: String

    private init(_ name: String, _ status: HTTPResponse.Status, _ grpcCode: RPCError.Code, _ title: String) {
        self.name = name
        self.status = status
        self.grpcCode = grpcCode
        self.title = title
    }
}

extension ErrorKind {
    // Client errors.
    package static let badRequest = ErrorKind("bad-request", .badRequest, .invalidArgument, "Invalid request")
    package static let malformed = ErrorKind("malformed", .badRequest, .invalidArgument, "Malformed request")
    package static let image = ErrorKind("picture", .badRequest, .invalidArgument, "Unreadable image")
    package static let unauthorized = ErrorKind(
        "unauthorized", .unauthorized, .unauthenticated, "Missing or invalid API key")
    package static let origin = ErrorKind("origin", .forbidden, .permissionDenied, "Request from another site")
    package static let urlRefused = ErrorKind("url-refused", .forbidden, .permissionDenied, "URL not allowed")
    package static let notFound = ErrorKind("not-found", .notFound, .notFound, "Not found")
    package static let model = ErrorKind("model", .notFound, .notFound, "No such model")
    package static let method = ErrorKind("method", .methodNotAllowed, .unimplemented, "Method not allowed")
    package static let notAcceptable = ErrorKind(
        "not-acceptable", .notAcceptable, .invalidArgument, "No acceptable response type")
    package static let slowBody = ErrorKind("slow-body", .requestTimeout, .deadlineExceeded, "Body received too slowly")
    package static let tooLarge = ErrorKind("too-large", .contentTooLarge, .resourceExhausted, "Request too large")
    package static let headersTooLarge = ErrorKind(
        "too-large", .requestHeaderFieldsTooLarge, .resourceExhausted, "Request too large")
    package static let mediaType = ErrorKind(
        "media-type", .unsupportedMediaType, .invalidArgument, "Unsupported media type")
    package static let cancelled = ErrorKind(
        "cancelled", HTTPResponse.Status(code: 499, reasonPhrase: "Client Closed Request"), .cancelled,
        "Client disconnected")

    // Server limits and failures.
    package static let inference = ErrorKind(
        "inference", .internalServerError, .internalError, "Inference failed")
    package static let `internal` = ErrorKind("internal", .internalServerError, .internalError, "Internal server error")
    package static let compression = ErrorKind(
        "encoding", .notImplemented, .unimplemented, "Unsupported compression")
    package static let urlFailed = ErrorKind("url-failed", .badGateway, .unavailable, "Image download failed")
    package static let urlTimeout = ErrorKind(
        "url-failed", .gatewayTimeout, .deadlineExceeded, "Image download failed")
    package static let queueFull = ErrorKind("queue-full", .serviceUnavailable, .resourceExhausted, "Server busy")
    package static let bodiesFull = ErrorKind("bodies-full", .serviceUnavailable, .unavailable, "Server busy")
    package static let fetchesFull = ErrorKind("fetches-full", .serviceUnavailable, .unavailable, "Server busy")
    package static let loading = ErrorKind("loading", .serviceUnavailable, .unavailable, "Model still loading")
    package static let modelUnavailable = ErrorKind(
        "model-unavailable", .serviceUnavailable, .unavailable, "Model not loaded")
    package static let deviceFault = ErrorKind(
        "device-fault", .serviceUnavailable, .unavailable, "Device returned invalid results")
    package static let stopping = ErrorKind("stopping", .serviceUnavailable, .unavailable, "Server shutting down")
    package static let timeout = ErrorKind("timeout", .gatewayTimeout, .deadlineExceeded, "Request timed out")

    /// An error from the HTTP library, with its own status.
    static func http(_ status: HTTPResponse.Status) -> ErrorKind {
        ErrorKind("http", status, status.code < 500 ? .invalidArgument : .internalError, status.reasonPhrase)
    }

    /// All kinds that `/docs` explains.
    package static let all: [ErrorKind] = [
        badRequest, malformed, image, unauthorized, origin, urlRefused, notFound, model, method, notAcceptable,
        slowBody,
        tooLarge, headersTooLarge, mediaType, cancelled, inference, `internal`, compression, urlFailed, urlTimeout,
        queueFull, bodiesFull, fetchesFull, loading, modelUnavailable, deviceFault, stopping, timeout,
    ]
}
