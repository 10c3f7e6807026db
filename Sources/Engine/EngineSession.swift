internal import Remedies

/// A model, loaded and compiled for a target. Runs may be started from many threads at once.
package protocol EngineSession: AnyObject, Sendable {
    var engine: any Engine { get }
    var target: ExecutionTarget { get }
    var inputs: [ValueInfo] { get }
    var outputs: [ValueInfo] { get }
    /// The model's own key/value metadata.
    var metadata: [String: String] { get }
    /// The engine's name of the component that runs the model, such as "OpenVINOExecutionProvider".
    var providerName: String { get }
    /// How many of the model's nodes each component of the engine took; nil if the engine can't report it.
    var nodes: [String: Int]? { get }
    /// The device that OpenVINO reports; nil on the engine's own kernels, or if it reports none.
    var openVINODevice: String? { get }

    /// Runs the model on the calling thread.
    ///
    /// - Parameters:
    ///   - inputs: one tensor per input, by name.
    ///   - names: the outputs to compute; nil for all.
    ///   - cancellation: stops the run from another thread.
    /// - Throws: `invalidInput` before anything runs if the inputs don't match the model, `cancelled` or `runFailed`.
    func run(
        _ inputs: [String: Tensor], outputs names: [String]?, cancellation: RunCancellation?
    ) throws(EngineError) -> [String: Tensor]
}

extension EngineSession {
    /// Runs the model for all outputs, without cancellation.
    package func run(_ inputs: [String: Tensor], outputs names: [String]? = nil) throws(EngineError) -> [String: Tensor]
    {
        try run(inputs, outputs: names, cancellation: nil)
    }

    /// Runs the model without blocking the caller's executor. Cancelling the task cancels the run.
    package func run(_ inputs: [String: Tensor], outputs names: [String]? = nil) async throws -> [String: Tensor] {
        try await RunCancellation.detached { try self.run(inputs, outputs: names, cancellation: $0) }
    }

    /// Refuses inputs that don't match the model, and outputs that it doesn't have.
    ///
    /// - Parameter optional: inputs that the model has in addition to those it requires.
    package func check(
        _ given: [String: Tensor], outputs names: [String], optional: [String] = []
    ) throws(EngineError) {
        func invalid(_ cause: String) -> EngineError {
            EngineError(
                .invalidInput, doing: "run the model", cause: cause,
                remedy: "Pass each input a tensor of its type and shape, and request only outputs that the model has.")
        }
        let list = inputs.map(\.description).joined(separator: "; ")
        for (name, tensor) in given {
            if let input = inputs.first(where: { $0.name == name }) {
                if let mismatch = input.mismatch(tensor) { throw invalid("input \(name): \(mismatch)") }
            } else if !optional.contains(name) {
                throw invalid("the model has no input \(name); its inputs are \(list)")
            }
        }
        if let missing = inputs.first(where: { given[$0.name] == nil }) {
            throw invalid("input \(missing.name) is missing; the model's inputs are \(list)")
        }
        if let unknown = names.first(where: { name in !outputs.contains { $0.name == name } }) {
            let list = outputs.map(\.description).joined(separator: "; ")
            throw invalid("the model has no output \(unknown); its outputs are \(list)")
        }
    }
}
