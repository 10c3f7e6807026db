internal import Logging
internal import NIOConcurrencyHelpers
internal import ServiceLifecycle

/// Loads models while the server already listens; stops the server if one can't be loaded.
struct ModelLoading: Service {
    let models: ModelRegistry
    let logger: Logger
    let stopped: NIOLockedValueBox<ContinuousClock.Instant?>

    func run() async throws {
        try await withGracefulShutdownHandler {
            do {
                try await cancelWhenGracefulShutdown { try await models.loadAll() }
            } catch {
                // Shutdown does not wait for a load.
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
