package import Apus
internal import Foundation
package import Logging
internal import Remedies

/// The server's models, by name.
package final class ModelRegistry: @unchecked Sendable {  // mutable state is guarded by the lock
    /// A requested model.
    package struct Source: Sendable {
        package var name: String
        package var model: Model

        package init(name: String, model: Model) {
            self.name = name
            self.model = model
        }
    }

    package enum State: Sendable {
        case loading
        case ready(ServedModel)
        /// It could not be loaded, with the reason.
        case failed(String)
        /// Unloaded on request.
        case unloaded
    }

    struct Entry {
        var source: Source
        var state: State
        var version = 0
        /// The state of its files at the last load or attempt.
        var stamps: [FileStamp] = []
        /// Their state at the last check: a file that is still being written changes between two checks.
        var seen: [FileStamp] = []
        /// Counts calls to unload, so that a load already in progress does not undo one.
        var unloads = 0
        /// Why a newer file could not be loaded, while the older model stays in service.
        var reloadFailure: String?
    }

    /// A pending or active load.
    private struct Load {
        let number: Int
        /// The number of unload calls before it.
        let unloads: Int
        /// Whether the model was put into service; false if it was unloaded meanwhile.
        let task: Task<Bool, any Error>

        /// Waits for it to end, or until the waiting task is cancelled.
        var value: Bool {
            get async throws {
                let (task, first) = (task, FirstResult<Bool>())
                return try await first.wait { Task { first.set(await task.result) } }
            }
        }
    }

    let lock = NSLock()
    var entries: [String: Entry] = [:]
    /// The first one is the default.
    let order: [String]
    private let load: @Sendable (_ name: String, Model) throws -> any ObjectDetector
    private let check: (@Sendable (_ name: String) throws -> Void)?
    let logger: Logger
    /// Active loads, which concurrent callers share.
    private var loads: [String: Load] = [:]
    /// The numbers of the loads that may have read a file.
    private var begun: Set<Int> = []
    /// Loads models one at a time, as each uses memory and all cores.
    private var last: Load?

    /// - Parameters:
    ///   - check: loads a model in another process and throws if that fails, before a running server loads it: the runtime
    ///     can crash on a file, and the server must not.
    ///   - load: loads a model; blocks until done.
    package init(
        _ sources: [Source], logger: Logger, check: (@Sendable (_ name: String) throws -> Void)? = nil,
        load: @escaping @Sendable (_ name: String, Model) throws -> any ObjectDetector
    ) {
        self.load = load
        self.check = check
        self.logger = logger
        order = sources.map(\.name)
        for source in sources { entries[source.name] = Entry(source: source, state: .loading) }
    }

    // MARK: Asking

    package var names: [String] { order }

    package var all: [(name: String, state: State, version: Int, reloadFailure: String?)] {
        lock.withLock {
            order.compactMap { name in
                entries[name].map { (name, $0.state, $0.version, $0.reloadFailure) }
            }
        }
    }

    /// Whether all requested models are loaded, on devices without faults.
    package var isReady: Bool {
        all.allSatisfy {
            switch $0.state {
            case .ready(let model): model.detector.deviceFault == nil
            case .unloaded: true
            case .loading, .failed: false
            }
        }
    }

    /// - Parameter name: nil for the default.
    package func model(_ name: String?) throws(ServerError) -> ServedModel {
        let name = name ?? order.first ?? ""
        let state = lock.withLock { entries[name]?.state }
        switch state {
        case .ready(let model): return model
        case .loading:
            throw ServerError(.loading, "The model \(name) is not ready yet", retryAfter: 2)
        case .failed, .unloaded:
            let why: String? = if case .failed(let why) = state { why } else { nil }
            throw ServerError(
                .modelUnavailable, "The model \(name) is not loaded",
                remedy: "Load it: POST /v2/repository/models/\(name)/load", internalDetail: why)
        case nil: throw .noSuchModel(name, order)
        }
    }

    // MARK: Loading

    /// Loads all models at startup, except those unloaded meanwhile.
    ///
    /// - Throws: the error of the first model that cannot be loaded.
    package func loadAll() async throws {
        for name in order {
            let load = loading(name, isStart: true) {
                switch $0.state {
                case .loading, .failed: true
                case .ready, .unloaded: false  // requested meanwhile
                }
            }
            _ = try await load?.value
        }
    }

    /// Loads or reloads a model. The older one keeps serving until the new one is ready, or if loading fails. A cancelled
    /// caller stops waiting, but the load continues, as others may be waiting for it.
    package func load(_ name: String) async throws {
        guard let load = loading(name, isWanted: { _ in true }) else { throw ServerError.noSuchModel(name, order) }
        guard try await load.value else {
            throw ServerError(.modelUnavailable, "The model \(name) was unloaded while it was being loaded")
        }
    }

    /// Reloads a model if it is still in service when its turn comes. Logs and records a failure.
    func reload(_ name: String) async {
        let load = loading(name) { if case .ready = $0.state { true } else { false } }
        _ = try? await load?.value
    }

    /// A load in progress, or one that begins after those.
    ///
    /// - Parameter isStart: whether the server is starting: then a load that may have read an older file is accepted, and
    ///   nothing is checked in another process.
    /// - Returns: nil if there is no such model, or it is no longer requested.
    private func loading(
        _ name: String, isStart: Bool = false, isWanted: (Entry) -> Bool
    ) -> Load? {
        lock.withLock {
            guard let entry = entries[name], isWanted(entry) else { return nil }
            // A load from before an unload puts nothing into service.
            let unloads = entry.unloads
            if let load = loads[name], load.unloads == unloads, isStart || !begun.contains(load.number) {
                return load
            }
            let (previous, number) = (last?.task, (last?.number ?? 0) + 1)
            let task = Task {
                _ = await previous?.result
                defer {
                    self.lock.withLock {
                        self.begun.remove(number)
                        if self.loads[name]?.number == number { self.loads[name] = nil }
                    }
                }
                self.lock.withLock { _ = self.begun.insert(number) }
                return try await self.loadNow(name, unloads: unloads, isChecked: !isStart)
            }
            let load = Load(number: number, unloads: unloads, task: task)
            loads[name] = load
            last = load
            return load
        }
    }

    private func loadNow(_ name: String, unloads: Int, isChecked: Bool) async throws -> Bool {
        guard let entry = lock.withLock({ entries[name] }), entry.unloads == unloads else { return false }
        let (source, version) = (entry.source, entry.version + 1)
        let (load, check) = (load, isChecked ? check : nil)
        do {
            let detector = try await Blocking.run {
                // Before reading them, so that later changes trigger a reload.
                let stamps = source.model.files.map(FileStamp.init)
                self.lock.withLock { self.entries[name]?.stamps = stamps }
                if let check {
                    try check(name)
                    guard source.model.files.map(FileStamp.init) == stamps else {
                        throw ModelRegistry.changed(name)
                    }
                }
                return try load(name, source.model)
            }
            let model = ServedModel(name: name, version: version, detector: detector)
            let isWanted = lock.withLock {
                guard entries[name]?.unloads == unloads else { return false }
                entries[name]?.version = version
                entries[name]?.reloadFailure = nil
                entries[name]?.state = .ready(model)
                return true
            }
            if isWanted { logger.info("model ready", metadata: model.facts) }
            return isWanted
        } catch {
            let text = "\(error)"
            logger.error("model not loaded", metadata: ["model": "\(name)", "error": "\(text)"])
            let isWanted = lock.withLock {
                guard entries[name]?.unloads == unloads else { return false }
                if case .ready = entries[name]?.state {
                    entries[name]?.reloadFailure = text
                } else {
                    entries[name]?.state = .failed(text)
                }
                return true
            }
            if isWanted { throw error }
            return false
        }
    }

    private static func changed(_ name: String) -> ApusError {
        ApusError(
            .model, doing: "load the model \(name)", cause: "its file changed during the check",
            remedy: "It is reloaded once the file stops changing.")
    }

    /// Takes a model out of service; in-flight requests finish.
    package func unload(_ name: String) throws(ServerError) {
        let isKnown = lock.withLock {
            guard entries[name] != nil else { return false }
            entries[name]?.state = .unloaded
            entries[name]?.unloads += 1
            return true
        }
        guard isKnown else { throw .noSuchModel(name, order) }
        logger.info("model unloaded", metadata: ["model": "\(name)"])
    }
}
