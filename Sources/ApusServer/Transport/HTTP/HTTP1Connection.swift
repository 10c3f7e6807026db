internal import HTTPTypes
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes

/// An HTTP/1 connection as Hummingbird serves it, with `HTTP1Codec` in front: it decides what is a valid request and whether
/// the connection persists, which Hummingbird's own channel leaves to the client.
struct HTTP1Connection: HTTPChannelHandler {
    typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    /// Of all fields of a request together.
    static let maxHeaderBytes = 65_536

    let responder: Responder
    /// Time allowed for a request's head, and for some of a response to be taken.
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
            // Ends idle connections when the server shuts down; `ClientWatch` has the timeouts.
            try pipeline.addHandler(HTTPConnectionStateHandler(logger: logger))
            return try NIOAsyncChannel(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
    }

    func handle(value: Value, logger: Logger) async { await handleHTTP(asyncChannel: value, logger: logger) }
}
