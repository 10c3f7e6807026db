internal import Foundation
internal import ONNXRuntime

/// The sessions of a detector: one for each canvas, or one for all sizes.
final class SessionPool: Sendable {
    /// A canvas and its session, once that is made.
    private final class Slot: @unchecked Sendable {  // the entry is touched under its lock only
        let canvas: Canvas?
        /// Held while the session is made.
        let making = NSLock()
        private let lock = NSLock()
        private var made: Entry?

        init(_ canvas: Canvas?) { self.canvas = canvas }

        var entry: Entry? {
            get { lock.withLock { made } }
            set { lock.withLock { made = newValue } }
        }
    }

    /// A session that is ready to run.
    struct Entry: Sendable {
        var compiled: ModelCompiler.Compiled
        /// What it answered to the canary when it was made; nil where no canary is watched.
        var canary: Canary.Answer?
        var canvas: Canvas? { compiled.canvas }
        var session: Session { compiled.session }
    }

    private let slots: [Slot]
    private let compiler: ModelCompiler
    /// Runs the canary on a new session.
    private let warmUp: @Sendable (ModelCompiler.Compiled) throws -> Canary.Answer?

    /// - Parameters:
    ///   - canvases: the smallest first; empty for one session of all sizes.
    ///   - first: a session that is there already, for all sizes.
    init(
        _ compiler: ModelCompiler, canvases: [Canvas], first: ModelCompiler.Compiled?,
        warmUp: @escaping @Sendable (ModelCompiler.Compiled) throws -> Canary.Answer?
    ) throws {
        self.compiler = compiler
        self.warmUp = warmUp
        slots = canvases.isEmpty ? [Slot(nil)] : canvases.map(Slot.init)
        if let first, canvases.isEmpty { slots[0].entry = Entry(compiled: first, canary: try warmUp(first)) }
    }

    /// Those that are made.
    var entries: [Entry] { slots.compactMap(\.entry) }

    /// Makes all that are missing.
    func prepareAll() throws {
        for index in slots.indices { _ = try entry(at: index) }
    }

    /// Makes the largest landscape one, which holds every picture that is wider than high.
    func prepareLargest() throws {
        let landscape = slots.indices.last { slots[$0].canvas.map { $0.size.width >= $0.size.height } ?? true }
        _ = try entry(at: landscape ?? slots.count - 1)
    }

    /// Which one a picture goes to that the model wants to see at `size`: the smallest canvas that holds it, else the one
    /// on which it is scaled down least.
    func index(for size: PixelSize) -> Int {
        func scale(_ slot: Slot) -> Double {
            guard let canvas = slot.canvas?.size else { return 1 }
            return min(
                1, Double(canvas.width) / Double(size.width), Double(canvas.height) / Double(size.height))
        }
        let best = slots.map(scale).max() ?? 1
        return slots.firstIndex { scale($0) == best } ?? 0
    }

    func canvas(at index: Int) -> Canvas? { slots[index].canvas }

    /// The session of a canvas, which is made now if it is not there; others that want it meanwhile wait.
    func entry(at index: Int) throws -> Entry {
        let slot = slots[index]
        if let entry = slot.entry { return entry }
        return try slot.making.withLock {
            if let entry = slot.entry { return entry }
            let compiled = try compiler.compile(slot.canvas)
            let entry = Entry(compiled: compiled, canary: try warmUp(compiled))
            slot.entry = entry
            return entry
        }
    }
}
