import Apus
import ApusServer
import GRPCCore
import HTTPTypes
import Imaging
import Testing

struct ServerErrorTests {
    @Test(arguments: [
        (ErrorKind.badRequest, 400, RPCError.Code.invalidArgument), (.malformed, 400, .invalidArgument),
        (.image, 400, .invalidArgument), (.unauthorized, 401, .unauthenticated), (.model, 404, .notFound),
        (.slowBody, 408, .deadlineExceeded), (.tooLarge, 413, .resourceExhausted), (.mediaType, 415, .invalidArgument),
        (.cancelled, 499, .cancelled), (.inference, 500, .internalError), (.internal, 500, .internalError),
        (.compression, 501, .unimplemented), (.queueFull, 503, .resourceExhausted), (.bodiesFull, 503, .unavailable),
        (.loading, 503, .unavailable), (.modelUnavailable, 503, .unavailable), (.deviceFault, 503, .unavailable),
        (.stopping, 503, .unavailable), (.timeout, 504, .deadlineExceeded),
    ])
    func everyKindHasAStatusInEachProtocol(kind: ErrorKind, status: Int, code: RPCError.Code) {
        #expect(kind.status.code == status && kind.grpcCode == code)
    }

    @Test func kindsAreToldApartByName() {
        let names = ErrorKind.all.map(\.name)
        // Two differ in nothing but their status.
        #expect(names.count - Set(names).count == 2)
        #expect(names.allSatisfy { $0.wholeMatch(of: /[a-z-]+/) != nil })
    }

    @Test func libraryErrorsBecomeTheirKinds() throws {
        func kind(_ code: ApusError.Code) -> ErrorKind {
            ServerError(ApusError(code, doing: "do it", cause: "why", remedy: "what")).kind
        }
        #expect(kind(.image) == .image && kind(.option) == .badRequest && kind(.cancelled) == .cancelled)
        #expect(kind(.deviceFault) == .deviceFault && kind(.inference) == .inference && kind(.runtime) == .internal)
        #expect(ServerError(CancellationError()).kind == .cancelled)
        #expect(ServerError(ServerError.stopping).kind == .stopping)
        let text = ServerError(ApusError(.image, doing: "read a.png", cause: "it is empty", remedy: "Send it again."))
            .text
        #expect(text == "Could not read a.png: it is empty. Send it again.")
        let limits = ImageLimits(bytes: 1, pixels: 1)
        let error = try #require(throws: ImagingError.self) { try ImageDecoder.decode([1, 2], limits: limits) }
        #expect(ServerError(error).kind == .image)
    }
}
