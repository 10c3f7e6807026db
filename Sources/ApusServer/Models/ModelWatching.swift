internal import ServiceLifecycle
internal import UnixSignals

/// Watches models in service: changed files, the reload signal, faulty devices.
struct ModelWatching: Service {
    let models: ModelRegistry
    let interval: Duration?

    func run() async throws {
        // Only watches, so shutdown need not wait for it.
        try? await cancelWhenGracefulShutdown {
            try await withThrowingTaskGroup(of: Void.self) { group in
                if let interval {
                    group.addTask {
                        while true {
                            try await Task.sleep(for: interval)
                            await models.reloadChanged()
                        }
                    }
                }
                group.addTask {
                    while true {
                        try await Task.sleep(for: .seconds(30))
                        await models.checkFaultyDevices()
                    }
                }
                group.addTask {
                    for await _ in await UnixSignalsSequence(trapping: .sighup) { await models.reloadAll() }
                }
                try await group.waitForAll()
            }
        }
    }
}
