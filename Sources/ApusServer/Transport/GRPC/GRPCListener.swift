internal import Apus
internal import GRPCCore
internal import GRPCNIOTransportHTTP2
internal import Logging
internal import NIOCore
internal import ServiceLifecycle

/// The gRPC server as a service that shuts down with the others.
struct GRPCListener: Service {
    private let server: GRPCServer<HTTP2ServerTransport.Posix>
    private let logger: Logger

    init(
        _ service: BoundedOpenInferenceGRPC, _ interceptors: [any ServerInterceptor],
        _ configuration: ServerConfiguration, port: Int, bodies: BodyReader, log: RequestLog
    ) throws {
        var transport = HTTP2ServerTransport.Posix.Config.defaults
        transport.rpc.maxRequestPayloadSize = configuration.maxGRPCMessage
        transport.http2.maxConcurrentStreams = 64
        let connections = GRPCConnections(
            max: configuration.maxConnections, idle: configuration.idleTimeout,
            call: BoundedCall.Limits(timeout: configuration.bodyTimeout, maxMessage: configuration.maxGRPCMessage),
            bodies: bodies, log: log)
        transport.channelDebuggingCallbacks.onAcceptTCPConnection = { connections.accepted($0) }
        transport.channelDebuggingCallbacks.onAcceptHTTP2Stream = { connections.opened($0) }
        let security: HTTP2ServerTransport.Posix.TransportSecurity =
            if let files = configuration.tls {
                .tls(
                    certificateChain: [.file(path: files.certificate, format: .pem)],
                    privateKey: .file(path: files.key, format: .pem))
            } else {
                .plaintext
            }
        // Unlike HTTP's, this transport does not resolve names.
        let resolved = try NIOCore.SocketAddress.makeAddressResolvingHost(configuration.host, port: port)
        let host = resolved.ipAddress ?? configuration.host
        let address: GRPCNIOTransportCore.SocketAddress =
            resolved.protocol == .inet6 ? .ipv6(host: host, port: port) : .ipv4(host: host, port: port)
        server = GRPCServer(
            transport: .http2NIOPosix(address: address, transportSecurity: security, config: transport),
            services: [service], interceptors: interceptors)
        logger = log.logger
    }

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    do {
                        try await server.serve()
                    } catch let error as RuntimeError {
                        throw error.cause as? IOError ?? error
                    }
                }
                // If there is none, the task above reports why.
                if let address = try? await server.listeningAddress {
                    logger.info("listening for gRPC", metadata: ["address": "\(address)"])
                }
                try await group.waitForAll()
            }
        } onGracefulShutdown: {
            server.beginGracefulShutdown()
        }
    }
}
