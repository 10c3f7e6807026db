package import Apus
internal import Foundation
package import Logging
internal import Remedies

/// The models that a server offers, by name.
package final class ModelRegistry: @unchecked Sendable {  // what changes is touched under the lock only
    /// A model that was asked for.
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
        /// It could not be loaded, and why.
        case failed(String)
        /// Somebody asked for it to go.
        case unloaded
    }

    struct Entry {
        var source: Source
        var state: State
        var version = 0
        /// What its files were when it was last loaded or tried.
        var stamps: [FileStamp] = []
        /// What they were when they were last looked at: a file that is still being written changes between two looks.
        var seen: [FileStamp] = []
        /// Counts calls to unload, so that a load that was under way at the time does not undo one.
        var unloads = 0
        /// Why a newer file could not be loaded, while the older model serves.
        var reloadFailure: String?
    }

    /// A load that is to come or under way, which ends by itself.
    private struct Load {
        let number: Int
        /// Calls to unload before it.
        let unloads: Int
        /// Whether the model was put into service; false if somebody unloaded it meanwhile.
        let task: Task<Bool, any Error>

        /// Waits for its end, or until who waits is cancelled.
        var value: Bool {
            get async throws {
                let (task, first) = (task, FirstResult<Bool>())
                return try await first.wait { Task { first.set(await task.result) } }
            }
        }
    }

    let lock = NSLock()
    var entries: [String: Entry] = [:]
    /// The first that was named is the default.
    let order: [String]
    private let load: @Sendable (_ name: String, Model) throws -> any ObjectDetector
    private let check: (@Sendable (_ name: String) throws -> Void)?
    let logger: Logger
    /// What is being loaded; who asks meanwhile gets the same.
    private var loads: [String: Load] = [:]
    /// The numbers of loads that may have read a file.
    private var begun: Set<Int> = []
    /// One model after the other, as each takes memory and all cores.
    private var last: Load?

    /// - Parameters:
    ///   - check: loads a model in another process, and throws if that fails, before it is loaded into a server that already
    ///     runs: a runtime can crash on a file, and a server must not.
    ///   - load: loads a model, for as long as it takes.
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

    /// Whether all models that are to be there are, on devices that can be trusted.
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

    /// Loads all at start, but for those that somebody unloads meanwhile.
    ///
    /// - Throws: the first model's error that cannot be loaded.
    package func loadAll() async throws {
        for name in order {
            let load = loading(name, isStart: true) {
                switch $0.state {
                case .loading, .failed: true
                case .ready, .unloaded: false  // somebody asked for that meanwhile
                }
            }
            _ = try await load?.value
        }
    }

    /// Loads a model, or loads it again; requests go to the older one until it is ready, and if it fails. Who is cancelled
    /// waits no longer, and what is loaded goes on, as others may wait for it.
    package func load(_ name: String) async throws {
        guard let load = loading(name, isWanted: { _ in true }) else { throw ServerError.noSuchModel(name, order) }
        guard try await load.value else {
            throw ServerError(.modelUnavailable, "The model \(name) was unloaded while it was being loaded")
        }
    }

    /// Loads a model again if it is still in service when its turn comes. A failure is logged and kept.
    func reload(_ name: String) async {
        let load = loading(name) { if case .ready = $0.state { true } else { false } }
        _ = try? await load?.value
    }

    /// A load that is under way, or one that begins after those that are.
    ///
    /// - Parameter isStart: whether the server starts: then a load will do that may have read an older file, and nothing is
    ///   checked in another process.
    /// - Returns: nil if there is no such model, or it is not wanted.
    private func loading(
        _ name: String, isStart: Bool = false, isWanted: (Entry) -> Bool
    ) -> Load? {
        lock.withLock {
            guard let entry = entries[name], isWanted(entry) else { return nil }
            // One from before it was unloaded puts nothing into service.
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
                // Before they are read: what changes meanwhile is loaded again.
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
            .model, doing: "load the model \(name)", cause: "its file changed while it was checked",
            remedy: "It is loaded again when the file no longer changes.")
    }

    /// Takes a model out of service; requests that have it finish.
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
