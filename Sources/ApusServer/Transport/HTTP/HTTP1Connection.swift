internal import HTTPTypes
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes

/// Hummingbird's HTTP/1 connection with `HTTP1Codec` in front, which validates requests and decides whether the connection
/// persists; Hummingbird's own channel leaves that to the client.
struct HTTP1Connection: HTTPChannelHandler {
    typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    /// Maximum total size of a request's fields.
    static let maxHeaderBytes = 65_536

    let responder: Responder
    /// Time allowed for a request's head, and for the client to read part of a response.
    let headTimeout: TimeAmount
    let log: RequestLog

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(HTTPResponseEncoder())
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderListSize = HTTP1Connection.maxHeaderBytes
            limits.maxHeaderFieldSize = HTTP1Connection.maxHeaderBytes
            try pipeline.addHandler(ByteToMessageHandler(HTTPRequestDecoder(limitConfiguration: limits)))
            try pipeline.addHandler(HTTP1Codec(log: log))
            try pipeline.addHandler(ClientWatch(headTimeout: headTimeout))
            // Closes idle connections on shutdown; `ClientWatch` enforces the timeouts.
            try pipeline.addHandler(HTTPConnectionStateHandler(logger: logger))
            return try NIOAsyncChannel(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
    }

    func handle(value: Value, logger: Logger) async { await handleHTTP(asyncChannel: value, logger: logger) }
}
