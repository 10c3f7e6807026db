internal import Apus
internal import Hummingbird
internal import Imaging
internal import NIOHTTP1
internal import Remedies

extension ServerError {
    /// The one place where library errors become responses. Details that may name the server's files or hardware stay in the
    /// log.
    package init(_ error: any Error) {
        self =
            switch error {
            case let error as ServerError: error
            case is CancellationError: .cancelled
            case let refusal as WorkRefusal: .from(refusal)
            case let error as HTTPParserError: .malformed(error)
            case let error as ImagingError:
                .badImage("Could not draw on the image: \(error.cause)", remedy: error.remedy)
            case let error as ApusError: .from(error)
            case let error as HTTPError:
                ServerError(.http(error.status), error.body ?? error.status.reasonPhrase)
            default: .internalError("\(error)")
            }
    }

    private static func from(_ error: ApusError) -> ServerError {
        let (detail, remedy) = ("Could not \(error.doing): \(error.cause)", error.advice)
        return switch error.code {
        case .image: .badImage(detail, remedy: remedy)
        case .tooLarge: .tooLarge(detail, remedy: remedy)
        case .option: .badRequest(detail, remedy: remedy)
        case .cancelled: .cancelled
        case .deviceFault:
            ServerError(
                .deviceFault, "The device's results can't be trusted, so none are returned",
                remedy: "The server's log has the cause.", retryAfter: 30, internalDetail: error.description)
        case .inference: ServerError(.inference, "Could not \(error.doing)", internalDetail: error.description)
        default: .internalError(error.description)
        }
    }

    private static func from(_ refusal: WorkRefusal) -> ServerError {
        switch refusal {
        case .full(let queue, let wait):
            .overloaded(queue: queue, retryAfter: max(1, min(60, Int((wait.milliseconds / 1000).rounded(.up)))))
        case .stopped: .stopping
        }
    }

    private static func internalError(_ text: String) -> ServerError {
        ServerError(
            .internal, "The server failed to handle the request",
            remedy: "Its log has the cause, under this request's ID.",
            internalDetail: text)
    }

    /// A request that can't be parsed as HTTP.
    static func malformed(_ detail: String, remedy: Remedy? = nil) -> ServerError {
        ServerError(.malformed, detail, remedy: remedy)
    }

    static func malformed(_ error: HTTPParserError) -> ServerError {
        guard error == .headerOverflow else { return .malformed("The request is not valid HTTP/1.1: \(error)") }
        return ServerError(
            .headersTooLarge, "The headers have more than \(HTTP1Connection.maxHeaderBytes) bytes or 256 fields")
    }
}
