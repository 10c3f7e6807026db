internal import Apus
internal import Logging
internal import NIOCore

/// The server's sockets.
extension Server {
    func listeners() throws -> Listeners {
        do {
            _ = try SocketAddress.makeAddressResolvingHost(configuration.host, port: configuration.port)
        } catch {
            throw ApusError(
                .option, doing: "listen on \(configuration.host)", cause: "it is not a valid host name or address",
                remedy: "Set host to an address of this machine: 127.0.0.1, ::1, or 0.0.0.0 for all.")
        }
        var all = [Listeners.Listener(setting: "port", port: configuration.port, service: try application())]
        if let port = configuration.grpcPort {
            let listener = try GRPCListener(
                grpcService, grpcInterceptors, configuration, port: port, bodies: bodies, log: requestLog)
            all.append(Listeners.Listener(setting: "grpc-port", port: port, service: listener))
        }
        return Listeners(host: configuration.host, all: all)
    }
}
