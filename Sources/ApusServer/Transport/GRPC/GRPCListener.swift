internal import Apus
internal import GRPCCore
internal import GRPCNIOTransportHTTP2
internal import Logging
internal import NIOCore
internal import ServiceLifecycle

/// The gRPC server as a service that ends with the others.
struct GRPCListener: Service {
    private let server: GRPCServer<HTTP2ServerTransport.Posix>
    private let logger: Logger

    init(_ service: GRPCService, _ configuration: ServerConfiguration, port: Int, logger: Logger) throws {
        var transport = HTTP2ServerTransport.Posix.Config.defaults
        // A message holds more than the bytes that are limited, which `GRPCService` counts.
        let most = configuration.maxBody + configuration.maxBody / 2
        transport.rpc.maxRequestPayloadSize = most
        transport.http2.maxConcurrentStreams = 64
        let connections = GRPCConnections(
            most: configuration.maxConnections, idle: configuration.idleTimeout,
            call: BoundedCall.Limits(timeout: configuration.bodyTimeout, maxMessage: most), bodies: service.bodies,
            log: service.log)
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
        // Unlike HTTP's, this transport takes no names.
        let resolved = try NIOCore.SocketAddress.makeAddressResolvingHost(configuration.host, port: port)
        let host = resolved.ipAddress ?? configuration.host
        let address: GRPCNIOTransportCore.SocketAddress =
            resolved.protocol == .inet6 ? .ipv6(host: host, port: port) : .ipv4(host: host, port: port)
        server = GRPCServer(
            transport: .http2NIOPosix(address: address, transportSecurity: security, config: transport),
            services: [BoundedGRPCService(service: service, limit: most)],
            interceptors: [GRPCCallInterceptor(keys: configuration.keys, log: service.log)])
        self.logger = logger
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
                // Where there is none, the task above says why.
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
