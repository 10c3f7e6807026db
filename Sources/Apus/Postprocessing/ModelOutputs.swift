package import Engine
internal import Remedies

/// A model's outputs, as families read them: numbers of f32 or f16.
public struct ModelOutputs {
    private let tensors: [String: Tensor]

    package init(_ tensors: [String: Tensor]) { self.tensors = tensors }

    /// Calls `body` with an output's numbers and shape, without copying f32.
    ///
    /// - Throws: `ApusError` with code `model` if no output has this name and rank.
    public func withFloats<Result>(
        _ name: String, rank: Int, _ body: (UnsafeBufferPointer<Float>, [Int]) throws -> Result
    ) throws -> Result {
        guard let tensor = tensors[name], tensor.shape.count == rank, tensor.isFloatingPoint else {
            throw mismatch("\(name) is not a tensor of numbers with \(rank) dimensions")
        }
        return try tensor.withFloats { try body($0, tensor.shape) }
    }

    /// An error that lists the outputs' shapes.
    package func mismatch(_ why: String) -> ApusError {
        let shapes = tensors.map { "\($0.key) \($0.value.shape)" }.sorted().joined(separator: ", ")
        return ApusError(
            .model, doing: "read the model's outputs", cause: "\(why): \(shapes)",
            remedy: "Check the model's family, and export it again.")
    }

    /// Refuses numbers that no scores or boxes can be.
    ///
    /// - Throws: `ApusError` with code `inference`.
    package static func require(_ isSound: Bool) throws(ApusError) {
        guard isSound else {
            throw ApusError(
                .inference, doing: "read the model's outputs",
                cause: "they contain values that are neither scores nor boxes",
                remedy:
                    "The device or its precision fails on this model: try \(setting: .precision, "f32"), or \(setting: .device, "cpu")."
            )
        }
    }
}
