internal import Foundation
internal import Hummingbird
internal import NIOCore

/// The format of an error: that of the protocol that owns the path, whether or not the path exists.
package enum ErrorForm: Sendable {
    /// RFC 9457.
    case problem
    /// `{"error": "…"}`
    case openInference
    /// `{"success": false, "error": "…"}`
    case deepStack

    init(path: String) {
        func isUnder(_ root: String) -> Bool {
            path == root || path.hasPrefix(root + "/") || path.hasPrefix(root + "?")
        }
        self = isUnder("/v2") ? .openInference : isUnder("/v1") ? .deepStack : .problem
    }

    func response(_ error: ServerError, requestID: String) -> Response {
        let (type, body) = body(error, requestID: requestID)
        var response = Response(
            status: status(error), headers: [.contentType: type], body: .init(byteBuffer: body))
        if let seconds = error.retryAfter { response.headers[.retryAfter] = "\(seconds)" }
        if let allow = error.allow { response.headers[.allow] = allow }
        if let encoding = error.acceptEncoding { response.headers[.acceptEncoding] = encoding }
        if error.status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
        return response
    }

    /// DeepStack's statuses are 400, 401, 403 and 500, and 503 if the server is busy.
    private func status(_ error: ServerError) -> HTTPResponse.Status {
        if case .deepStack = self, error.status == .gatewayTimeout { return .internalServerError }
        return error.status
    }

    func body(_ error: ServerError, requestID: String) -> (type: String, body: ByteBuffer) {
        switch self {
        case .problem:
            ("application/problem+json", ErrorForm.json(ProblemDetails(error, requestID: requestID)))
        case .openInference: ("application/json", ErrorForm.json(OpenInferenceFailure(error: error.text)))
        case .deepStack: ("application/json", ErrorForm.json(DeepStackFailure(error: error.text)))
        }
    }

    private static func json(_ value: some Encodable) -> ByteBuffer {
        // Strings and finite numbers only, so encoding can't fail.
        ByteBuffer(bytes: (try? JSONEncoder.server.encode(value)) ?? Data("{}".utf8))
    }
}

private struct OpenInferenceFailure: Encodable {
    var error: String
}

private struct DeepStackFailure: Encodable {
    var success = false
    var error: String
    var duration = 0
}

/// A problem as defined in RFC 9457.
private struct ProblemDetails: Encodable {
    /// The documentation of the kind, relative to the server.
    var type: String
    var title: String
    var status: Int
    var detail: String
    var remedy: String?
    var requestId: String

    init(_ error: ServerError, requestID: String) {
        type = "/docs#\(error.kind.name)"
        title = error.kind.title
        status = error.status.code
        detail = error.detail
        remedy = error.remedy
        requestId = requestID
    }
}
