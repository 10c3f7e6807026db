#if Server
    internal import Foundation
    internal import HTTPTypes
    internal import Hummingbird
    internal import NIOCore

    /// An error as RFC 9457 has it.
    struct ProblemDetails: Encodable {
        /// Where the kind is explained, relative to the server.
        var type: String
        var title: String
        var status: Int
        var detail: String
        var remedy: String?
        var requestId: String

        init(_ error: ServerError, requestID: String) {
            type = "/docs#\(error.kind)"
            title = error.title
            status = error.status.code
            detail = error.detail
            remedy = error.remedy
            requestId = requestID
        }
    }

    extension Response {
        /// JSON of any kind.
        static func json(
            _ value: some Encodable, status: HTTPResponse.Status = .ok, type: String = "application/json",
            keys: JSONEncoder.KeyEncodingStrategy = .convertToSnakeCase
        ) throws -> Response {
            let encoder = JSONEncoder()
            encoder.keyEncodingStrategy = keys
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            let data = try encoder.encode(value)
            return Response(
                status: status, headers: [.contentType: type], body: .init(byteBuffer: ByteBuffer(bytes: data)))
        }

        static func problem(_ error: ServerError, requestID: String) throws -> Response {
            try json(
                ProblemDetails(error, requestID: requestID), status: error.status, type: "application/problem+json"
            ).with(error)
        }

        /// With the headers that an error has whatever its form.
        func with(_ error: ServerError) -> Response {
            var response = self
            if let seconds = error.retryAfter { response.headers[.retryAfter] = "\(seconds)" }
            if let allow = error.allow { response.headers[.allow] = allow }
            if error.status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
            return response
        }
    }
#endif
