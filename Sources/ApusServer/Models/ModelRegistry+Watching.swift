internal import Apus
internal import Foundation
internal import Logging

/// Watches the files and devices of models in service.
extension ModelRegistry {
    /// Reloads the models in service whose files have changed and are no longer changing.
    package func reloadChanged() async {
        for name in order {
            let isChanged = lock.withLock {
                guard var entry = entries[name], case .ready = entry.state else { return false }
                let now = entry.stamps.map { FileStamp($0.path) }
                let isSettled = now == entry.seen
                entry.seen = now
                entries[name] = entry
                return now != entry.stamps && isSettled
            }
            if isChanged { await reload(name) }
        }
    }

    /// Reloads all models in service, changed or not.
    package func reloadAll() async {
        for name in order { await reload(name) }
    }

    /// Checks whether faulty devices return valid results again.
    package func checkFaultyDevices() async {
        for case (let name, .ready(let model), _, _) in all where model.detector.deviceFault != nil {
            do {
                try await Blocking.run { try model.detector.checkDevice() }
                logger.info("device results are valid again", metadata: ["model": "\(name)"])
            } catch {
                logger.error("device fault", metadata: ["model": "\(name)", "error": "\(error)"])
            }
        }
    }
}
