import ApusServer
import GRPCCore
import Logging
import NIOCore
import NIOEmbedded
import NIOHPACK
import NIOHTTP2
import Testing

struct BoundedCallTests {
    /// A call's stream, with nothing behind the handler that bounds it.
    private final class Call {
        let channel = EmbeddedChannel()

        init() throws {
            let log = RequestLog(
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, metrics: ServerMetrics())
            let bodies = BodyReader(limit: 1000, total: 2000, timeout: .seconds(30))
            try channel.pipeline.syncOperations.addHandler(
                BoundedCall(.init(timeout: .seconds(30), maxMessage: 1500), lease: bodies.lease(), log: log))
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        }

        func begin(
            _ fields: [(String, String)] = [], type: String = "application/grpc", endStream: Bool = false
        ) throws {
            let headers = HPACKHeaders(
                [
                    (":method", "POST"), (":path", "/inference.GRPCInferenceService/ServerLive"),
                    ("content-type", type),
                ] + fields)
            try channel.writeInbound(HTTP2Frame.FramePayload.headers(.init(headers: headers, endStream: endStream)))
        }

        func send(_ bytes: [UInt8], endStream: Bool = false) throws {
            try channel.writeInbound(
                HTTP2Frame.FramePayload.data(
                    .init(data: .byteBuffer(ByteBuffer(bytes: bytes)), endStream: endStream)))
        }

        /// The headers that come through to the transport.
        func passed() throws -> HPACKHeaders? {
            guard case .headers(let headers)? = try channel.readInbound(as: HTTP2Frame.FramePayload.self) else {
                return nil
            }
            return headers.headers
        }

        /// The headers that the client gets, and whether the stream ends without an error then.
        func response() throws -> (headers: HPACKHeaders, endsWell: Bool)? {
            guard case .headers(let headers)? = try channel.readOutbound(as: HTTP2Frame.FramePayload.self) else {
                return nil
            }
            guard case .rstStream(.noError)? = try channel.readOutbound(as: HTTP2Frame.FramePayload.self) else {
                return (headers.headers, false)
            }
            return (headers.headers, headers.endStream)
        }

        func status() throws -> Int? {
            try response().flatMap { $0.endsWell ? $0.headers.first(name: "grpc-status") : nil }.flatMap { Int($0) }
        }
    }

    /// grpc-swift traps on a negative one, whoever sends it.
    @Test(arguments: ["-1S", "-99999999n", "", "S", "1", "1s", "1 S", "+1S", "123456789S", "1.5S", "٣S", "0x1S"])
    func anInvalidTimeoutIsRefusedBeforeTheTransportSeesIt(text: String) throws {
        let call = try Call()
        try call.begin([("grpc-timeout", text)])
        #expect(try call.passed() == nil)
        #expect(try call.status() == RPCError.Code.invalidArgument.rawValue)
    }

    @Test func twoTimeoutsAreRefused() throws {
        let call = try Call()
        try call.begin([("grpc-timeout", "1S"), ("grpc-timeout", "2S")])
        #expect(try call.status() == RPCError.Code.invalidArgument.rawValue)
    }

    @Test(arguments: [
        ("1S", 1_000_000_000), ("0n", 0), ("250m", 250_000_000), ("3u", 3000), ("99999999n", 99_999_999),
        ("1M", 60_000_000_000), ("2H", 7_200_000_000_000), ("99999999H", 86_400_000_000_000),
    ])
    func aValidTimeoutIsPassedOnUnderAnotherName(text: String, nanoseconds: Int64) throws {
        #expect(GRPCDeadline.nanoseconds(text) == nanoseconds)
        let call = try Call()
        try call.begin([("grpc-timeout", text), ("apus-timeout-ns", "-5")])
        let headers = try #require(try call.passed())
        #expect(headers["grpc-timeout"].isEmpty)
        #expect(headers["apus-timeout-ns"] == ["\(nanoseconds)"])
    }

    @Test func aDeadlineEndsACallWhoseMessageDoesNotCome() throws {
        let call = try Call()
        try call.begin([("grpc-timeout", "10m")])
        call.channel.embeddedEventLoop.advanceTime(by: .milliseconds(9))
        #expect(try call.status() == nil)
        call.channel.embeddedEventLoop.advanceTime(by: .milliseconds(2))
        #expect(try call.status() == RPCError.Code.deadlineExceeded.rawValue)
    }

    @Test(arguments: ["gzip", "deflate", "snappy", "br"]) func compressionIsUnimplemented(encoding: String) throws {
        let call = try Call()
        try call.begin([("grpc-encoding", encoding)])
        #expect(try call.passed() == nil)
        let response = try #require(try call.response())
        #expect(response.endsWell)
        #expect(response.headers["grpc-status"] == ["\(RPCError.Code.unimplemented.rawValue)"])
        #expect(response.headers["grpc-accept-encoding"] == ["identity"])
        #expect(response.headers.first(name: "grpc-message")?.contains(encoding) == true)
    }

    @Test(arguments: [
        ("application/grpc", true), ("application/grpc+proto", true), ("Application/gRPC; charset=utf-8", true),
        ("application/grpc+json", false), ("application/grpcx", false), ("text/plain", false), ("", false),
    ])
    func otherContentTypesAreRefused(type: String, isKnown: Bool) throws {
        let call = try Call()
        try call.begin(type: type)
        if isKnown {
            #expect(try call.passed()?["content-type"] == ["application/grpc"])
        } else {
            let response = try #require(try call.response())
            #expect(response.endsWell && response.headers[":status"] == ["415"])
        }
    }

    /// Without this, such a call is never answered, and its connection never ends.
    @Test func aCallThatEndsWithoutAMessageIsRefused() throws {
        let call = try Call()
        try call.begin(endStream: true)
        #expect(try call.passed() == nil)
        #expect(try call.status() == RPCError.Code.invalidArgument.rawValue)
    }

    @Test(arguments: [
        ([0, 0xff, 0xff, 0xff, 0xff], RPCError.Code.resourceExhausted), ([1], .unimplemented),
        ([0, 0, 0, 5, 0xdd], .resourceExhausted),
    ])
    func aMessageIsJudgedByItsPrefix(bytes: [UInt8], code: RPCError.Code) throws {
        let call = try Call()
        try call.begin()
        for byte in bytes { try call.send([byte]) }
        #expect(try call.status() == code.rawValue)
    }

    @Test(arguments: [
        ([], true), ([0, 0, 0, 0], true), ([0, 0, 0, 0, 2, 7], true), ([0, 0, 0, 0, 1, 7, 0], false),
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0], false), ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0], true),
    ])
    func aCallHasOneWholeMessage(bytes: [UInt8], endStream: Bool) throws {
        let call = try Call()
        try call.begin()
        try call.send(bytes, endStream: endStream)
        #expect(try call.status() == RPCError.Code.invalidArgument.rawValue)
    }

    @Test(arguments: [[0, 0, 0, 0, 0], [0, 0, 0, 0, 2, 7, 7]]) func oneWholeMessageComesThrough(bytes: [UInt8])
        throws
    {
        let call = try Call()
        try call.begin()
        try call.send(bytes, endStream: true)
        #expect(try call.passed() != nil)
        #expect(try call.status() == nil)
    }

    @Test func aMessageThatFitsComesThrough() throws {
        let call = try Call()
        try call.begin()
        try call.send([0, 0, 0, 5, 0xdc])
        #expect(try call.passed() != nil)
        #expect(try call.status() == nil)
    }

    /// Or a client's SETTINGS_HEADER_TABLE_SIZE would let the server's table grow with every response.
    @Test func responseHeadersAreNotIndexed() throws {
        let call = try Call()
        try call.begin()
        let headers: HPACKHeaders = [":status": "200", "x-request-id": "an id of the client's"]
        try call.channel.writeOutbound(HTTP2Frame.FramePayload.headers(.init(headers: headers)))
        guard case .headers(let sent)? = try call.channel.readOutbound(as: HTTP2Frame.FramePayload.self) else {
            Issue.record("no headers were sent")
            return
        }
        #expect(sent.headers.count == 2)
        #expect(sent.headers.allSatisfy { $0.indexable == .nonIndexable })
    }
}
