internal import Dispatch
internal import Engine
internal import Foundation

/// The sessions of a detector: one for each canvas, or one for all sizes.
final class SessionPool: Sendable {
    /// A canvas and its session, once made.
    private final class Slot: @unchecked Sendable {  // mutable state is touched under its lock only
        let canvas: Canvas?
        /// Held while the session is made.
        let making = NSLock()
        private let lock = NSLock()
        private var made: Entry?
        private var why: String?

        init(_ canvas: Canvas?) { self.canvas = canvas }

        var entry: Entry? {
            get { lock.withLock { made } }
            set { lock.withLock { made = newValue } }
        }

        /// Why it could not be compiled in the background.
        var failure: String? {
            get { lock.withLock { why } }
            set { lock.withLock { why = newValue } }
        }
    }

    /// A session that is ready to run.
    struct Entry: Sendable {
        var compiled: ModelCompiler.Compiled
        /// Its output for the canary when it was made; nil where no canary is watched.
        var canary: Canary?
        var canvas: Canvas? { compiled.canvas }
        var session: any EngineSession { compiled.session }
    }

    private let slots: [Slot]
    private let compiler: ModelCompiler
    private let preparation: Detector.Preparation
    /// Runs the canary on a new session.
    private let warmUp: @Sendable (ModelCompiler.Compiled) throws -> Canary?

    /// Makes the sessions that `preparation` requires up front.
    ///
    /// - Parameters:
    ///   - canvases: the smallest first; empty for one session of all sizes.
    ///   - first: an existing session for all sizes.
    ///   - progress: called before each shape that is compiled now, counted from 1; an error it throws ends the preparation.
    init(
        _ compiler: ModelCompiler, canvases: [Canvas], first: ModelCompiler.Compiled?,
        preparation: Detector.Preparation, progress: (_ shape: Int, _ of: Int) throws -> Void,
        warmUp: @escaping @Sendable (ModelCompiler.Compiled) throws -> Canary?
    ) throws {
        self.compiler = compiler
        self.preparation = preparation
        self.warmUp = warmUp
        slots = canvases.isEmpty ? [Slot(nil)] : canvases.map(Slot.init)
        if let first, canvases.isEmpty { slots[0].entry = Entry(compiled: first, canary: try warmUp(first)) }
        switch preparation {
        case .beforeReady:
            for index in slots.indices where slots[index].entry == nil {
                try progress(index + 1, slots.count)
                _ = try entry(at: index)
            }
        case .background:
            let largest = slots.indices.filter(isLargest)
            for (number, index) in largest.enumerated() where slots[index].entry == nil {
                try progress(number + 1, largest.count)
                _ = try entry(at: index)
            }
            let rest = slots.indices.filter { !largest.contains($0) }
            if !rest.isEmpty { DispatchQueue.global(qos: .utility).async { [weak self] in self?.prepare(rest) } }
        case .whenNeeded:
            // The largest landscape canvas holds every image that is wider than high, so begin with it.
            let landscape = slots.indices.last { slots[$0].canvas.map { $0.size.width >= $0.size.height } ?? true }
            let first = landscape ?? slots.count - 1
            if slots[first].entry == nil { try progress(1, 1) }
            _ = try entry(at: first)
        }
    }

    /// The entries made so far.
    var entries: [Entry] { slots.compactMap(\.entry) }

    /// Canvases that could not be compiled in the background, and why; a larger one is used instead.
    var failures: [(canvas: Canvas, why: String)] {
        slots.compactMap { slot in slot.canvas.flatMap { canvas in slot.failure.map { (canvas, $0) } } }
    }

    /// The canvas for an image that the model should see at `size`: the smallest canvas that holds it, else the one on which it
    /// is scaled down least. While the rest compile in the background, the smallest of these that is ready.
    func index(for size: PixelSize) -> Int {
        func scale(_ slot: Slot) -> Double {
            guard let canvas = slot.canvas?.size else { return 1 }
            return min(
                1, Double(canvas.width) / Double(size.width), Double(canvas.height) / Double(size.height))
        }
        let best = slots.map(scale).max() ?? 1
        let fitting = slots.indices.filter { scale(slots[$0]) == best }
        let ready = preparation == .background ? fitting.first { slots[$0].entry != nil } : nil
        return ready ?? fitting.first ?? 0
    }

    func canvas(at index: Int) -> Canvas? { slots[index].canvas }

    /// The session of a canvas, made now if it doesn't exist yet; other callers that need it wait.
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

    /// Whether no other canvas holds this one: together, these serve every image as large as any canvas would.
    private func isLargest(_ index: Int) -> Bool {
        guard let own = slots[index].canvas?.size else { return true }
        return !slots.contains { slot in
            guard let other = slot.canvas?.size, other != own else { return false }
            return other.holds(own)
        }
    }

    private func prepare(_ indices: [Int]) {
        for index in indices {
            do {
                _ = try entry(at: index)
            } catch {
                slots[index].failure = "\(error)"
            }
        }
    }
}
