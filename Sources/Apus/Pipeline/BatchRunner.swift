package import Engine

/// What a work queue runs: inputs of one kind, batched where possible.
package protocol BatchRunner: Sendable {
    associatedtype Input: Sendable
    associatedtype Output: Sendable
    associatedtype Key: Equatable

    /// Only inputs with equal keys share a run.
    func key(of input: Input) -> Key

    /// How much of a run an input fills, in images, say: the queue's `maxBatch` limits the total.
    func size(of input: Input) -> Int

    /// Runs inputs of one key together, on a thread that may block.
    ///
    /// - Parameter batch: a single input of any size, or several that fit into one run.
    /// - Returns: one result for each, in the same order.
    /// - Throws: if the whole run failed. Several inputs are then run one by one, as one of them may be at fault.
    func run(_ batch: [BatchItem<Input>]) throws -> [Result<Output, any Error>]
}

/// One input of a run.
package struct BatchItem<Input: Sendable>: Sendable {
    package let input: Input
    /// Cancelled once no caller waits for its result.
    package let cancellation: RunCancellation

    package init(_ input: Input, cancellation: RunCancellation) {
        self.input = input
        self.cancellation = cancellation
    }
}
