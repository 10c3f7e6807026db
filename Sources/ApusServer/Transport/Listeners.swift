internal import Apus
internal import Foundation
internal import NIOCore
internal import ServiceLifecycle

/// The HTTP and gRPC listeners. They shut down together, so that none accepts requests while another waits for its last ones;
/// if one can't listen, all stop immediately.
struct Listeners: Service {
    struct Listener: Sendable {
        /// The name of its port setting.
        var setting: String
        var port: Int
        var service: any Service
    }

    let host: String
    let all: [Listener]

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for listener in all {
                group.addTask {
                    do {
                        try await listener.service.run()
                    } catch {
                        throw failure(error, listener)
                    }
                }
            }
            // Unlike `waitForAll`, this doesn't wait for the others when one fails.
            while try await group.next() != nil {}
        }
    }

    private func failure(_ error: any Error, _ listener: Listener) -> any Error {
        let cause: String
        switch error {
        case let error as IOError: cause = String(cString: strerror(error.errnoCode))
        case let error as SocketAddressError: cause = "\(error)"
        default: return error
        }
        return ApusError(
            .option, doing: "listen on \(host), port \(listener.port)", cause: cause,
            remedy:
                "Set \(listener.setting) to a port that is free (0 picks one), or host to an address of this machine."
        )
    }
}
