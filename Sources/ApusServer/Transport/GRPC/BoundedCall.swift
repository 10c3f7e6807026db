internal import GRPCCore
internal import HTTPTypes
package import NIOCore
internal import NIOHPACK
package import NIOHTTP2
internal import Remedies

/// Ends a call whose message does not arrive or exceeds the memory for messages, or whose response is not read; and handles
/// what the transport handles unsafely or not as gRPC specifies:
///
/// - `grpc-timeout`: the transport traps on a negative one. It never sees the header; `GRPCDeadline` passes it on.
/// - `grpc-encoding`: an unsupported one gets UNIMPLEMENTED, with the supported encodings.
/// - A message that is missing, truncated, compressed, too large or not the only one: the transport waits forever, resets the
///   stream without a status, or reports an internal error.
/// - Response headers are not indexed: the client sets the size of our HPACK table, and could make it grow without bound.
package final class BoundedCall: ChannelDuplexHandler {
    package typealias InboundIn = HTTP2Frame.FramePayload
    package typealias InboundOut = HTTP2Frame.FramePayload
    package typealias OutboundIn = HTTP2Frame.FramePayload
    package typealias OutboundOut = HTTP2Frame.FramePayload

    package struct Limits: Sendable {
        /// Time allowed to receive the message, and then for the client to read the response.
        package var timeout: Duration
        /// Maximum bytes of the message.
        package var maxMessage: Int

        package init(timeout: Duration, maxMessage: Int) {
            self.timeout = timeout
            self.maxMessage = maxMessage
        }
    }

    private let limits: Limits
    /// Accounts for the message as it arrives; released when the call ends.
    private let lease: BodyReader.Lease
    private let log: RequestLog
    private var prefix = GRPCMessagePrefix()
    private var closing: Scheduled<Void>?
    private var hasResponse = false
    /// Rejected here; the next handler sees only the end of the call.
    private var isRefused = false

    package init(_ limits: Limits, lease: BodyReader.Lease, log: RequestLog) {
        self.limits = limits
        self.lease = lease
        self.log = log
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        awaitMessage(within: limits.timeout, orRefuse: .tooSlow(limits.timeout), context)
    }

    package func handlerRemoved(context: ChannelHandlerContext) { closing?.cancel() }

    package func channelInactive(context: ChannelHandlerContext) {
        closing?.cancel()
        context.fireChannelInactive()
    }

    // MARK: The message

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isRefused else { return }
        var payload = unwrapInboundIn(data)
        do throws(ServerError) {
            switch payload {
            case .headers(var headers):
                try begin(&headers, context)
                payload = .headers(headers)
            case .data(let part): try received(part)
            default: break
            }
        } catch {
            return refuse(error, context)
        }
        context.fireChannelRead(wrapInboundOut(payload))
    }

    private func begin(
        _ headers: inout HTTP2Frame.FramePayload.Headers, _ context: ChannelHandlerContext
    ) throws(ServerError) {
        let time = try GRPCDeadline.pass(&headers.headers)
        let type = headers.headers.first(name: "content-type") ?? ""
        guard GRPCMessage.isContentType(type) else {
            throw .unsupportedMediaType(
                "The content-type \(Quoted(type)) is not gRPC", remedy: "Send application/grpc.")
        }
        // Parameters are allowed, but the transport does not support them.
        headers.headers.replaceOrAdd(name: "content-type", value: "application/grpc")
        if let encoding = headers.headers.first(name: "grpc-encoding"), encoding.lowercased() != "identity" {
            throw .unsupportedCompression("The grpc-encoding \(Quoted(encoding)) is not supported")
        }
        guard !headers.endStream else { throw .badRequest("The call has no message") }
        if let time, time < limits.timeout {
            awaitMessage(within: time, orRefuse: .deadlineExceeded(time), context)
        }
    }

    private func received(_ part: HTTP2Frame.FramePayload.Data) throws(ServerError) {
        try lease.take(part.data.readableBytes)
        if case .byteBuffer(let bytes) = part.data { prefix.read(bytes) }
        if prefix.isCompressed {
            throw .unsupportedCompression("The message is compressed, which is not supported")
        }
        if let length = prefix.length, length > limits.maxMessage {
            throw .tooLarge(
                "The message has \(length) bytes; \(limits.maxMessage) are allowed", remedy: "Send a smaller image."
            )
        }
        // Every call here has exactly one message.
        if let length = prefix.length, prefix.received > GRPCMessagePrefix.count + length {
            throw .badRequest("There is data after the call's message")
        }
        guard part.endStream else { return }
        guard let length = prefix.length, prefix.received == GRPCMessagePrefix.count + length else {
            throw .badRequest("The call's message is truncated")
        }
        if !hasResponse { closing?.cancel() }
    }

    private func awaitMessage(
        within time: Duration, orRefuse error: ServerError, _ context: ChannelHandlerContext
    ) {
        let this = NIOLoopBound(self, eventLoop: context.eventLoop)
        let own = NIOLoopBound(context, eventLoop: context.eventLoop)
        closing?.cancel()
        closing = context.eventLoop.scheduleTask(in: TimeAmount(time)) { this.value.refuse(error, own.value) }
    }

    // MARK: The response

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if isRefused {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        guard case .headers(var headers) = unwrapOutboundIn(data) else {
            return context.write(data, promise: promise)
        }
        if !hasResponse { beginResponse(context.channel) }
        headers.headers = headers.headers.unindexed
        context.write(wrapOutboundOut(.headers(headers)), promise: promise)
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // On shutdown, the transport would cancel in-flight calls; let them finish.
        if event is ChannelShouldQuiesceEvent { return }
        context.fireUserInboundEventTriggered(event)
    }

    private func beginResponse(_ channel: any Channel) {
        hasResponse = true
        closing?.cancel()
        closing = channel.eventLoop.scheduleTask(in: TimeAmount(limits.timeout)) { channel.close(promise: nil) }
    }

    /// Responds instead of the next handler.
    private func refuse(_ error: ServerError, _ context: ChannelHandlerContext) {
        guard !hasResponse else { return }
        isRefused = true
        beginResponse(context.channel)
        log.began()
        var record = RequestRecord().current
        record.requestID = RecordingMiddleware.id(nil)
        record.error = error
        log.ended("gRPC", route: "gRPC", method: "gRPC", status: error.status.code, duration: .zero, record)
        let trailers: HPACKHeaders = [
            ":status": error.status == .unsupportedMediaType ? "415" : "200", "content-type": "application/grpc",
            "grpc-status": "\(error.kind.grpcCode.rawValue)",
            "grpc-message": GRPCMessage.encoded(error.text), "grpc-accept-encoding": "identity",
        ]
        let channel = context.channel
        context.write(wrapOutboundOut(.headers(.init(headers: trailers.unindexed, endStream: true))), promise: nil)
        // NO_ERROR: the response is complete without the rest of the request (RFC 9113, 8.1). Closing the channel would reset
        // the stream with CANCEL, which clients report instead of the status.
        context.writeAndFlush(wrapOutboundOut(.rstStream(.noError))).whenComplete { _ in channel.close(promise: nil)
        }
    }
}

/// The prefix of a gRPC message: the compressed flag and the length (gRPC over HTTP/2, "Length-Prefixed-Message").
struct GRPCMessagePrefix {
    static let count = 5
    private var bytes: [UInt8] = []
    /// Bytes of the prefix and of the message.
    private(set) var received = 0

    mutating func read(_ buffer: ByteBuffer) {
        received += buffer.readableBytes
        guard bytes.count < Self.count else { return }
        bytes += buffer.readableBytesView.prefix(Self.count - bytes.count)
    }

    var isCompressed: Bool { bytes.first.map { $0 != 0 } ?? false }

    var length: Int? {
        bytes.count < Self.count ? nil : bytes.dropFirst().reduce(0) { $0 << 8 | Int($1) }
    }
}

extension HPACKHeaders {
    fileprivate var unindexed: HPACKHeaders {
        var headers = HPACKHeaders()
        headers.reserveCapacity(count)
        for (name, value, _) in self { headers.add(name: name, value: value, indexing: .nonIndexable) }
        return headers
    }
}

extension ServerError {
    fileprivate static func unsupportedCompression(_ detail: String) -> ServerError {
        ServerError(.compression, detail, remedy: "Send the message uncompressed.")
    }
}
