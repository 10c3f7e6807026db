/// Turns a sequence of inputs into a sequence of outputs in the same order: while a batch runs, the next inputs are prepared and
/// the previous ones finished.
///
/// - At most `limits.inFlight` inputs are pulled ahead of the consumer, and at most as many prepared inputs are in memory.
/// - An input that fails is an element with that failure, and the others go on.
/// - An error of the input sequence, or of a run that `endsPipeline`, is thrown after the preceding elements.
/// - Work starts with the first call to `next`. It stops when the consumer's task is cancelled, which throws
///   `CancellationError`, and when the iterator goes away.
package struct Pipeline<Stages: PipelineStages, Inputs: AsyncSequence & Sendable>: AsyncSequence, Sendable
where Inputs.Element == Stages.Input {
    package typealias Element = PipelineElement<Stages.Input, Stages.Output>
    package typealias Failure = any Error

    let inputs: Inputs
    let stages: Stages
    let limits: PipelineLimits

    package init(_ inputs: Inputs, limits: PipelineLimits, stages: Stages) {
        precondition(limits.batch > 0 && limits.inFlight > 0, "a pipeline needs a positive batch size and inFlight")
        self.inputs = inputs
        self.stages = stages
        self.limits = limits
    }

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(pipeline: self) }

    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let pipeline: Pipeline
        private var flow: PipelineFlow<Stages>?

        fileprivate init(pipeline: Pipeline) { self.pipeline = pipeline }

        package mutating func next(isolation actor: isolated (any Actor)?) async throws -> Element? {
            let flow = flow ?? PipelineFlow(pipeline)
            self.flow = flow
            return try await flow.next()
        }
    }
}

extension Pipeline {
    /// The same for a synchronous sequence. Its elements are made as they are pulled.
    package init<Base: Sequence & Sendable>(_ inputs: Base, limits: PipelineLimits, stages: Stages)
    where Inputs == Pulled<Base> {
        self.init(Pulled(base: inputs), limits: limits, stages: stages)
    }
}

/// A synchronous sequence as an asynchronous one.
package struct Pulled<Base: Sequence & Sendable>: AsyncSequence, Sendable {
    package typealias Element = Base.Element
    package typealias Failure = Never

    let base: Base

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(base: base.makeIterator()) }

    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var base: Base.Iterator

        package mutating func next(isolation actor: isolated (any Actor)?) async -> Element? { base.next() }
    }
}
