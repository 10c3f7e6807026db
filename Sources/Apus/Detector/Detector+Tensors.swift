package import Engine
internal import Remedies

/// Running the model on tensors, for callers that prepare images and read outputs themselves.
extension Detector {
    /// The model's inputs and outputs.
    package var signature: ModelSignature {
        guard let session = pool.entries.last?.session else { preconditionFailure("a detector has a session") }
        return ModelSignature(inputs: session.inputs, outputs: session.outputs, metadata: session.metadata)
    }

    /// The model's raw outputs, computed on the calling thread.
    ///
    /// - Parameter names: the outputs to compute; nil for all.
    /// - Throws: `ApusError` with code `option` if the tensors don't match the model's shape.
    package func infer(
        _ inputs: [String: Tensor], outputs names: [String]?, cancellation: RunCancellation?
    ) throws(ApusError) -> [String: Tensor] {
        try ApusError.wrapping(doing: "run the model") {
            try health.requireSound()
            try requireConsistent(inputs)
            let entry = try entry(for: inputs)
            let outputs: [String: Tensor]
            do {
                outputs = try entry.session.run(inputs, outputs: names, cancellation: cancellation)
            } catch let error as EngineError {
                if error.code == .runFailed { try checkDevice(after: entry) }
                guard error.code == .invalidInput else { throw error }
                throw ApusError(
                    .option, doing: error.doing, cause: error.cause, remedy: error.remedy, underlying: error)
            }
            // Arbitrary tensors may produce arbitrary outputs; the test image then shows whether the device is at fault.
            let own = outputs.filter { adapter.outputNames.contains($0.key) }
            let isOdd = try AnswerWatch.problem(in: own) != nil
            if isOdd || entry.canary?.isTime(each: configuration.canaryInterval) == true {
                try checkDevice(after: entry)
            }
            return outputs
        }
    }

    /// Checks dimensions that the model leaves open: they must be equal in all inputs where the model gives them the same name,
    /// and no larger than those of the images that the family makes. The runtime would reject the first with an error of its own,
    /// and spend minutes on the second: attention is quadratic in the pixels.
    private func requireConsistent(_ inputs: [String: Tensor]) throws(ApusError) {
        var sizes: [String: (size: Int, input: String)] = [:]
        for declared in signature.inputs {
            guard let shape = inputs[declared.name]?.shape, shape.count == declared.dimensions.count else { continue }
            for (index, (dimension, size)) in zip(declared.dimensions, shape).enumerated() {
                guard case .dynamic(let symbol) = dimension else { continue }
                // The first dimension is the batch, named or not.
                let name = index == 0 ? "batch" : symbol
                if let name, let known = sizes.updateValue((size, declared.name), forKey: name), known.size != size {
                    throw ApusError(
                        .option, doing: "run the model",
                        cause: "\(name) is \(known.size) in the input \(known.input) and \(size) in \(declared.name)",
                        remedy: "Use the same \(name) in all inputs.")
                }
                if index >= 2, shape.count == 4, let limit = adapter.maxInputSide, size > limit {
                    throw ApusError(
                        .option, doing: "run the model",
                        cause:
                            "the input \(declared.name) is \(shape[3]) x \(shape[2]) pixels; the limit is \(limit) per side",
                        remedy: "Resize the image as the model's preprocessing does.")
                }
            }
        }
    }

    /// The session for images of the tensors' size: a canvas's session accepts only its own.
    private func entry(for inputs: [String: Tensor]) throws -> SessionPool.Entry {
        let entries = pool.entries
        guard let any = entries.first, any.canvas != nil else {
            guard let any = entries.first else { preconditionFailure("a detector has a session") }
            return any
        }
        let shape = inputs.values.first { $0.shape.count == 4 }?.shape ?? []
        if let fitting = entries.first(where: { $0.canvas?.shape == shape }) { return fitting }
        let shapes = entries.compactMap { $0.canvas.map { "\($0.shape)" } }.joined(separator: ", ")
        throw ApusError(
            .option, doing: "run the model on a tensor of shape \(shape)",
            cause: "the device compiled the model only for the shapes \(shapes)",
            remedy: "Pad the pixels to one of them, or serve the model with \(setting: .shapes, "exact").")
    }
}

extension Canvas {
    fileprivate var shape: [Int] { [batch, 3, size.height, size.width] }
}
