package import Engine

/// What a pipeline does with each input: prepare it, run it together with others, finish it.
package protocol PipelineStages<Input, Output>: Sendable {
    associatedtype Input: Sendable
    /// An input that can be run, such as a decoded image.
    associatedtype Prepared: Sendable
    /// What a run returns for an input.
    associatedtype Found: Sendable
    associatedtype Output: Sendable

    /// Reads and decodes, say. Several inputs are prepared at once, while others run. May block.
    func prepare(_ input: Input) async throws -> Prepared

    /// Runs consecutive inputs together, on the pipeline's own thread.
    ///
    /// - Returns: one result for each, in the same order.
    func run(_ batch: [Prepared], _ cancellation: RunCancellation) throws -> [Found]

    /// Draws, say, while others are prepared and run. May block.
    func finish(_ input: Input, _ prepared: Prepared, _ found: Found) async throws -> Output

    /// Whether an error of a run ends the pipeline. If not, it is a single input's failure.
    func endsPipeline(_ error: any Error) -> Bool
}

/// An input and its result.
package struct PipelineElement<Input: Sendable, Output: Sendable>: Sendable {
    package let input: Input
    package let result: Result<Output, any Error>
}

/// How many inputs a pipeline works on at once.
package struct PipelineLimits: Sendable, Equatable {
    /// Inputs in a run.
    package var batch: Int
    /// Inputs pulled whose results the consumer doesn't have yet.
    package var inFlight: Int

    /// - Parameter inFlight: nil for one batch that runs, the next one, and two inputs being finished.
    package init(batch: Int, inFlight: Int? = nil) {
        self.batch = batch
        self.inFlight = inFlight ?? 2 * batch + 2
    }
}

/// Runs batches on the pipeline's queue. A batch that fails is retried image by image, as one of them may be at fault.
struct PipelineRunner<Stages: PipelineStages>: BatchRunner {
    struct Output: Sendable {
        /// One per input, in order; fewer if the pipeline ends.
        var results: [Result<Stages.Found, any Error>] = []
        /// The error that ends it, if any.
        var end: (any Error)?
    }

    let stages: Stages

    func key(of input: [Stages.Prepared]) -> Bool { true }
    func size(of input: [Stages.Prepared]) -> Int { input.count }

    func run(_ batch: [BatchItem<[Stages.Prepared]>]) -> [Result<Output, any Error>] {
        batch.map { .success(run($0.input, $0.cancellation)) }
    }

    private func run(_ batch: [Stages.Prepared], _ cancellation: RunCancellation) -> Output {
        do {
            let found = try stages.run(batch, cancellation)
            precondition(found.count == batch.count, "one result per input")
            return Output(results: found.map { .success($0) })
        } catch {
            if cancellation.isCancelled || stages.endsPipeline(error) { return Output(end: error) }
            guard batch.count > 1 else { return Output(results: [.failure(error)]) }
        }
        var output = Output()
        for prepared in batch where output.end == nil {
            let own = run([prepared], cancellation)
            output.results += own.results
            output.end = own.end
        }
        return output
    }
}
