/// The inputs that a pipeline works on, in order, starting with the one whose result the consumer gets next.
struct PipelineState<Stages: PipelineStages> {
    enum Step {
        case preparing
        case ready(Stages.Prepared)
        case running
        case found(Stages.Found)
        case finishing
        case done(Result<Stages.Output, any Error>)
    }

    /// What the consumer gets next.
    enum Head: Sendable {
        case element(PipelineElement<Stages.Input, Stages.Output>)
        case end((any Error)?)
    }

    enum Batch: Sendable {
        /// Inputs with their numbers, counted from the start of the sequence.
        case inputs([Int], [Stages.Prepared])
        case none
    }

    enum Run: Sendable {
        case found(Stages.Found)
        /// It failed, or its result is no longer needed.
        case none
    }

    private enum End {
        case finished
        case failed(any Error)
    }

    private let limits: PipelineLimits
    private var steps: [(input: Stages.Input, step: Step)] = []
    /// Elements delivered to the consumer.
    private var delivered = 0
    /// What follows `steps`; nil while there may be more inputs.
    private var end: End?

    init(_ limits: PipelineLimits) { self.limits = limits }

    // MARK: Pulling

    /// Whether to pull another input; nil while there is no room for it.
    func pulls() -> Bool? {
        if end != nil { return false }
        return steps.count < limits.inFlight ? true : nil
    }

    /// - Returns: the input's number; nil if the pipeline has ended.
    mutating func add(_ input: Stages.Input) -> Int? {
        guard end == nil else { return nil }
        steps.append((input, .preparing))
        return delivered + steps.count - 1
    }

    /// Ends the pipeline after its current inputs.
    mutating func finish(_ error: (any Error)? = nil) {
        if end == nil { end = error.map { .failed($0) } ?? .finished }
    }

    /// Ends it before an input, which gets no result.
    mutating func fail(_ error: any Error, at number: Int) {
        guard number >= delivered, number - delivered < steps.count else { return }
        steps.removeSubrange((number - delivered)...)
        end = .failed(error)
    }

    /// Ends it now and drops its inputs.
    mutating func stop() {
        if steps.isEmpty, case .finished = end { return }
        steps = []
        end = .failed(CancellationError())
    }

    // MARK: Working

    /// Nil for an input that was dropped.
    subscript(_ number: Int) -> Step? {
        get {
            let index = number - delivered
            return steps.indices.contains(index) ? steps[index].step : nil
        }
        set {
            let index = number - delivered
            if let newValue, steps.indices.contains(index) { steps[index].step = newValue }
        }
    }

    /// The next consecutive inputs that are ready, as many as fit into a run; nil while there are fewer and the next one is still
    /// being prepared. It doesn't wait for inputs that haven't arrived.
    mutating func takeBatch() -> Batch? {
        var numbers: [Int] = []
        var batch: [Stages.Prepared] = []
        scan: for (index, each) in steps.enumerated() where batch.count < limits.batch {
            switch each.step {
            case .ready(let prepared):
                numbers.append(delivered + index)
                batch.append(prepared)
            case .preparing: return nil
            case .running, .found, .finishing, .done: continue scan
            }
        }
        guard !batch.isEmpty else { return end == nil ? nil : Batch.none }
        for number in numbers { self[number] = .running }
        return .inputs(numbers, batch)
    }

    /// The result of an input's run; nil while it waits or runs.
    mutating func takeFound(_ number: Int) -> Run? {
        switch self[number] {
        case .found(let found):
            self[number] = .finishing
            return .found(found)
        case .done, nil: return Run.none
        case .preparing, .ready, .running, .finishing: return nil
        }
    }

    // MARK: Delivering

    mutating func takeHead() -> Head? {
        guard let first = steps.first else {
            switch end {
            case .finished: return .end(nil)
            case .failed(let error):
                end = .finished  // an error is thrown once
                return .end(error)
            case nil: return nil
            }
        }
        guard case .done(let result) = first.step else { return nil }
        steps.removeFirst()
        delivered += 1
        return .element(PipelineElement(input: first.input, result: result))
    }
}
