internal import Logging
internal import NIOConcurrencyHelpers
internal import ServiceLifecycle

/// Loads models while the server already listens; the first that can't be loaded ends it.
struct ModelLoading: Service {
    let models: ModelRegistry
    let logger: Logger
    let stopped: NIOLockedValueBox<ContinuousClock.Instant?>

    func run() async throws {
        try await withGracefulShutdownHandler {
            do {
                try await cancelWhenGracefulShutdown { try await models.loadAll() }
            } catch {
                // What is being loaded when the server is to stop is not waited for.
                if stopped.withLockedValue({ $0 }) != nil { return }
                throw error
            }
            try await gracefulShutdown()
        } onGracefulShutdown: {
            stopped.withLockedValue { $0 = .now }
            logger.info("shutting down; finishing active requests")
        }
    }
}
