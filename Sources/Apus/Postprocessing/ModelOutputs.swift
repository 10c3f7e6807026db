package import Engine
internal import Remedies

/// A model's outputs as families read them: f32 or f16 numbers.
public struct ModelOutputs {
    private let tensors: [String: Tensor]

    package init(_ tensors: [String: Tensor]) { self.tensors = tensors }

    /// Calls `body` with an output's numbers and shape; f32 isn't copied.
    ///
    /// - Throws: `ApusError` with code `model` if there is no output of this name and rank.
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

    /// Refuses numbers that cannot be scores or boxes.
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
