package import Engine

/// Distinguishes a device that computes wrong results from an image without objects.
package enum AnswerWatch {
    /// What is wrong with a model's outputs by themselves; nil if nothing is.
    package static func problem(in outputs: [String: Tensor]) throws -> String? {
        for (name, tensor) in outputs.sorted(by: { $0.key < $1.key }) where tensor.isFloatingPoint {
            let problem = try tensor.withFloats { values -> String? in
                guard let first = values.first else { return nil }
                var isEqual = true
                for value in values {
                    if !value.isFinite { return "the output \(name) holds \(value.isNaN ? "NaN" : "infinity")" }
                    if value != first { isEqual = false }
                }
                return isEqual && values.count > 1
                    ? "all \(values.count) values of the output \(name) are \(first)" : nil
            }
            if let problem { return problem }
        }
        return nil
    }
}

extension Tensor {
    package var isFloatingPoint: Bool { elementType == .float32 || elementType == .float16 }

    /// The elements of an f32 or f16 tensor; f32 isn't copied.
    package func withFloats<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) throws -> Result {
        guard elementType == .float16 else { return try withElements(of: Float.self, body) }
        return try elements(of: Float16.self).map { Float($0) }.withUnsafeBufferPointer(body)
    }

    /// Makes every other number slightly larger and the rest slightly smaller; non-floating-point numbers stay.
    func perturbed(by share: Float) throws -> Tensor {
        switch elementType {
        case .float32:
            try Tensor(
                shape: shape,
                scalars: elements(of: Float.self).enumerated().map {
                    $1 * ($0.isMultiple(of: 2) ? 1 + share : 1 - share)
                })
        case .float16:
            try Tensor(
                shape: shape,
                scalars: elements(of: Float16.self).enumerated().map {
                    Float16(Float($1) * ($0.isMultiple(of: 2) ? 1 + share : 1 - share))
                })
        default: self
        }
    }
}
