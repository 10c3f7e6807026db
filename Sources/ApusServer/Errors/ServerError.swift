    internal import Apus
    internal import Foundation
    package import HTTPTypes
    internal import Imaging
    internal import NIOHTTP1
    internal import Remedies

    /// Why a request is not answered as asked, before a protocol gives it its own form.
    package struct ServerError: Error, Sendable {
        /// The kind, a word for programs, as "queue-full".
        package var kind: String
        package var status: HTTPResponse.Status
        /// A few words that are the same for every error of the kind.
        package var title: String
        /// What was wrong with this request.
        package var detail: String
        /// What to do about it.
        package var remedy: String?
        /// Seconds after which trying again makes sense.
        package var retryAfter: Int?
        /// The methods that a path allows, if it was requested with another.
        package var allow: String?
        /// The content codings that are supported, if another was used.
        package var acceptEncoding: String?
        /// For logs only, as it may name files of the server.
        package var internalDetail: String?

        package init(
            _ kind: String, _ status: HTTPResponse.Status, title: String, detail: String, remedy: String? = nil,
            retryAfter: Int? = nil, internalDetail: String? = nil
        ) {
            self.kind = kind
            self.status = status
            self.title = title
            self.detail = detail
            self.remedy = remedy
            self.retryAfter = retryAfter
            self.internalDetail = internalDetail
        }

        /// The detail, and what to do.
        package var text: String { remedy.map { "\(detail). \($0)" } ?? detail }
    }

    extension ServerError {
        package static func badRequest(_ detail: String, remedy: String? = nil) -> ServerError {
            ServerError("bad-request", .badRequest, title: "The request is wrong", detail: detail, remedy: remedy)
        }

        package static func badPicture(_ detail: String, remedy: String? = nil) -> ServerError {
            ServerError("picture", .badRequest, title: "The picture cannot be read", detail: detail, remedy: remedy)
        }

        package static func tooLarge(_ detail: String, remedy: String? = nil) -> ServerError {
            ServerError(
                "too-large", .contentTooLarge, title: "The request is too large", detail: detail, remedy: remedy)
        }

        package static func unsupportedMediaType(_ detail: String, remedy: String? = nil) -> ServerError {
            ServerError(
                "media-type", .unsupportedMediaType, title: "The body is of a kind that is not read", detail: detail,
                remedy: remedy)
        }

        package static func noSuchModel(_ name: String, _ known: [String]) -> ServerError {
            ServerError(
                "model", .notFound, title: "There is no such model", detail: "No model is called \(Quoted(name))",
                remedy: known.isEmpty ? nil : "There are \(known.joined(separator: ", ")).")
        }

        package static func overloaded(queue: Int, retryAfter: Int) -> ServerError {
            ServerError(
                "queue-full", .serviceUnavailable, title: "The server is busy",
                detail: "The queue of \(queue) requests is full", remedy: "Try again after \(retryAfter) s.",
                retryAfter: retryAfter)
        }

        package static func timedOut(_ timeout: Duration) -> ServerError {
            ServerError(
                "timeout", .gatewayTimeout, title: "The answer took too long",
                detail: "The request was not answered within \(timeout.text)",
                remedy: "Try again, or give the server a longer --timeout.")
        }

        package static let stopping = ServerError(
            "stopping", .serviceUnavailable, title: "The server is stopping", detail: "It takes no more requests",
            retryAfter: 5)

        package static let cancelled = ServerError(
            "cancelled", HTTPResponse.Status(code: 499, reasonPhrase: "Client Closed Request"),
            title: "The client went away", detail: "Nobody waits for the answer any more")

        /// The one place where errors of the library become answers. What may name files or hardware of the server stays in
        /// its log.
        package init(_ error: any Error) {
            if let error = error as? ServerError {
                self = error
                return
            }
            if error is CancellationError {
                self = .cancelled
                return
            }
            if let error = error as? HTTPParserError {
                self = .malformed(error)
                return
            }
            if let error = error as? ImagingError {
                self = .badPicture(
                    "Could not draw on the image: \(error.cause)", remedy: error.remedy?.text(for: .server))
                return
            }
            guard let error = error as? ApusError else {
                self = .internalError("\(error)")
                return
            }
            let (detail, remedy) = ("Could not \(error.doing): \(error.cause)", error.advice?.text(for: .server))
            switch error.code {
            case .image: self = .badPicture(detail, remedy: remedy)
            case .tooLarge: self = .tooLarge(detail, remedy: remedy)
            case .option: self = .badRequest(detail, remedy: remedy)
            case .cancelled: self = .cancelled
            case .deviceFault:
                self = ServerError(
                    "device-fault", .serviceUnavailable, title: "The device answers wrong",
                    detail: "The device's answers cannot be trusted, so none is given",
                    remedy: "Whoever runs the server finds the cause in its log.", retryAfter: 30,
                    internalDetail: error.description)
            case .inference:
                self = ServerError(
                    "inference", .internalServerError, title: "The model failed on this picture",
                    detail: "Could not \(error.doing)", internalDetail: error.description)
            default: self = .internalError(error.description)
            }
        }

        private static func internalError(_ text: String) -> ServerError {
            ServerError(
                "internal", .internalServerError, title: "The server failed",
                detail: "Something went wrong that is not the request's fault",
                remedy: "Its log has the cause, under this request's id.", internalDetail: text)
        }
    }

    extension Duration {
        /// "30 s", "0.5 s".
        package var text: String { String(format: "%g s", milliseconds / 1000) }
    }
