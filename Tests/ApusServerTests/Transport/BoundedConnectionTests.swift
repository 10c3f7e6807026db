import NIOCore
import NIOEmbedded
import NIOHTTP2
import Testing

@testable import ApusServer

struct BoundedConnectionTests {
    private static let settings: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0, 0]
    /// `:method: GET`, `:scheme: http` and `:path: /` on stream 1.
    private static let call: [UInt8] = [0, 0, 3, 1, 4, 0, 0, 0, 1, 0x82, 0x86, 0x84]
    /// Data on stream 0, where none may be.
    private static let violation: [UInt8] = [0, 0, 1, 0, 0, 0, 0, 0, 0, 0]

    private final class ClosesOnError: ChannelInboundHandler {
        typealias InboundIn = HTTP2Frame

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }

    /// Delivers bytes to a connection as one read that is ended only if the connection lives, as a socket's is.
    private func http2Handler(after bytes: [UInt8]) throws -> NIOHTTP2Handler? {
        let channel = EmbeddedChannel()
        let handler = NIOHTTP2Handler(
            mode: .server, eventLoop: channel.eventLoop, connectionConfiguration: .init(),
            streamConfiguration: .init()
        ) { stream in stream.eventLoop.makeSucceededVoidFuture() }
        try channel.pipeline.syncOperations.addHandlers([
            BoundedConnection(idle: .seconds(60), taking: .seconds(30)), handler, ClosesOnError(),
        ])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        channel.pipeline.fireChannelRead(
            ByteBuffer(bytes: Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + Self.settings + bytes))
        if channel.isActive { channel.pipeline.fireChannelReadComplete() }
        channel.embeddedEventLoop.run()
        if channel.isActive { try channel.close().wait() }
        channel.embeddedEventLoop.run()
        return handler
    }

    @Test(arguments: [[], call, violation, call + violation])
    func nothingIsKeptOfAConnection(thatReceives bytes: [UInt8]) throws {
        weak var handler: NIOHTTP2Handler?
        do {
            handler = try http2Handler(after: bytes)
        }
        #expect(handler == nil)
    }
}
