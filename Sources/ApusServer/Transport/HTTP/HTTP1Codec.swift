internal import HTTPTypes
package import NIOCore
package import NIOHTTP1
package import NIOHTTPTypes
internal import NIOHTTPTypesHTTP1
internal import Remedies

/// Converts between NIO's HTTP/1 messages and HTTP types, applying rules that HTTP types can't express (RFC 9112):
///
/// - Whether the connection persists: list-valued, case-insensitive `Connection`, HTTP/1.0's default; stated in the response.
/// - `Upgrade` is ignored. NIO's decoder reads nothing after a request that asks for one, so that response closes the connection.
/// - `Host`: exactly one, with a valid value (HTTP/1.0 may omit it).
/// - Input that can't be parsed gets a 400 or 431 response, after those of earlier requests, and ends the connection.
package final class HTTP1Codec: ChannelDuplexHandler, RemovableChannelHandler {
    package typealias InboundIn = HTTPServerRequestPart
    package typealias InboundOut = HTTPRequestPart
    package typealias OutboundIn = HTTPResponsePart
    package typealias OutboundOut = HTTPServerResponsePart

    /// A request whose response hasn't been written whole.
    private struct Pending {
        var version: HTTPVersion
        var persists: Bool
    }

    private enum Inbound {
        case head
        /// Between a request's head and its end.
        case body
        /// This connection is not read any more.
        case ended
    }

    /// A response to input that isn't a request.
    private struct Refusal {
        var error: ServerError
        var form = ErrorForm.problem
        /// False for HEAD.
        var hasBody = true
    }

    /// Time allowed for a client to read the last response before the connection closes.
    private static let linger = TimeAmount.seconds(2)

    private let log: RequestLog
    private var inbound = Inbound.head
    private var pending = CircularBuffer<Pending>()
    /// State of the request being read.
    private var persists = true
    /// To be sent once no response is pending.
    private var refusal: Refusal?

    package init(log: RequestLog) { self.log = log }

    // MARK: Requests

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (unwrapInboundIn(data), inbound) {
        case (.head(let head), .head):
            do throws(ServerError) {
                let request = try HTTP1Codec.request(head)
                persists = request.headerFields[.connection] == nil
                pending.append(Pending(version: head.version, persists: persists))
                inbound = .body
                context.fireChannelRead(wrapInboundOut(.head(request)))
            } catch {
                let form = ErrorForm(path: head.uri)
                refuse(Refusal(error: error, form: form, hasBody: head.method != .HEAD), context)
            }
        case (.body(let bytes), .body): context.fireChannelRead(wrapInboundOut(.body(bytes)))
        case (.end(let trailers), .body):
            inbound = persists ? .head : .ended
            context.fireChannelRead(wrapInboundOut(.end(trailers.map { HTTPFields($0, splitCookie: false) })))
        default: break
        }
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError else { return context.fireErrorCaught(error) }
        switch inbound {
        case .head: refuse(Refusal(error: .malformed(error)), context)
        case .body:
            inbound = .ended
            if !pending.isEmpty { pending[pending.index(before: pending.endIndex)].persists = false }
            // The reader of the body responds.
            context.fireErrorCaught(error)
        case .ended: break
        }
    }

    /// - Returns: the request, with `Connection: close` if and only if its response ends the connection.
    private static func request(_ head: HTTPRequestHead) throws(ServerError) -> HTTPRequest {
        try checkHost(head)
        var request: HTTPRequest
        do {
            request = try HTTPRequest(head, secure: false, splitCookie: false)
        } catch {
            throw .malformed("The request's method or target is invalid")
        }
        let asksForUpgrade = head.method == .CONNECT || head.headers.contains(name: "Upgrade")
        request.headerFields[.connection] = head.isKeepAlive && !asksForUpgrade ? nil : "close"
        request.headerFields[.upgrade] = nil
        if head.version == .http1_0 { request.headerFields[.expect] = nil }  // no 100 Continue in HTTP/1.0
        return request
    }

    private static func checkHost(_ head: HTTPRequestHead) throws(ServerError) {
        let hosts = head.headers["host"]
        guard hosts.count == 1 || (hosts.isEmpty && head.version == .http1_0) else {
            throw .malformed(
                hosts.isEmpty ? "The request has no Host header" : "The request has \(hosts.count) Host headers",
                remedy: "Send exactly one.")
        }
        guard let host = hosts.first else { return }
        guard Authority(host)?.isValid == true else {
            throw .malformed("The Host header is not a valid host: \(Quoted(host))")
        }
    }

    // MARK: Responses

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        // A connection error may cause a second response to a request; only the first is sent.
        guard let request = pending.first else {
            promise?.succeed()
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(let response):
            var head = HTTPResponseHead(response)
            if response.status.kind != .informational {
                head.version = request.version
                if !request.persists {
                    head.headers.replaceOrAdd(name: "connection", value: "close")
                } else if request.version == .http1_0 {
                    head.headers.replaceOrAdd(name: "connection", value: "keep-alive")
                }
            }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body(let bytes): context.write(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: promise)
        case .end(let trailers):
            pending.removeFirst()
            let written = promise ?? context.eventLoop.makePromise()
            context.write(wrapOutboundOut(.end(trailers.map { HTTPHeaders($0) })), promise: written)
            if !request.persists {
                inbound = .ended
                pending.removeAll()
                close(context.channel, after: written.futureResult)
            } else if pending.isEmpty, let refusal {
                self.refusal = nil
                write(refusal, context)
            }
        }
    }

    /// Responds to invalid input after all pending responses, and ends the connection.
    private func refuse(_ refusal: Refusal, _ context: ChannelHandlerContext) {
        inbound = .ended
        if pending.isEmpty { write(refusal, context) } else { self.refusal = refusal }
    }

    private func write(_ refusal: Refusal, _ context: ChannelHandlerContext) {
        let error = refusal.error
        var facts = RequestRecord().current
        facts.requestID = RecordingMiddleware.id(nil)
        facts.error = error
        log.began()
        log.ended(
            "HTTP request", route: "none", method: "none", status: error.status.code, duration: .zero, facts)
        let (type, body) = refusal.form.body(error, requestID: facts.requestID)
        let headers: HTTPHeaders = [
            "content-type": type, "content-length": "\(body.readableBytes)", "connection": "close",
            "x-request-id": facts.requestID,
        ]
        let head = HTTPResponseHead(
            version: .http1_1,
            status: .init(statusCode: error.status.code, reasonPhrase: error.status.reasonPhrase), headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if refusal.hasBody { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        close(context.channel, after: context.writeAndFlush(wrapOutboundOut(.end(nil))))
    }

    /// Ends the connection after its last response is sent: the sending side at once, the rest after the client has had time
    /// to read. Closing while the client still sends could discard the response (RFC 9112, 9.6).
    private func close(_ channel: any Channel, after written: EventLoopFuture<Void>) {
        written.whenComplete { _ in
            channel.close(mode: .output, promise: nil)
            let closing = channel.eventLoop.scheduleTask(in: HTTP1Codec.linger) { channel.close(promise: nil) }
            channel.closeFuture.whenComplete { _ in closing.cancel() }
        }
    }
}
