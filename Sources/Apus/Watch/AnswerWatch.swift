package import ONNXRuntime

/// What tells a device that computes wrong from a picture without objects.
package enum AnswerWatch {
    /// What is wrong with a model's outputs in themselves; nil if nothing is.
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

/// A picture whose answer is known, so that a change of it shows that the device has changed.
package struct Canary: Sendable {
    /// Values taken evenly out of each output.
    package typealias Answer = [String: [Float]]

    /// Values that are kept of an output.
    private static let sampleCount = 128
    /// How far a value may move, as a share of the largest in its output: runs of one device on one input differ by
    /// rounding at most.
    private static let tolerance: Float = 0.02

    /// Stripes, squares and ramps, so that every part of the network has something to answer.
    static let picture: Image = {
        let (width, height) = (320, 240)
        var pixels = [UInt8](repeating: 0, count: 3 * width * height)
        for y in 0..<height {
            for x in 0..<width {
                let at = 3 * (y * width + x)
                pixels[at] = UInt8(x * 255 / (width - 1))
                pixels[at + 1] = (x / 20 + y / 20).isMultiple(of: 2) ? 220 : 40
                pixels[at + 2] = UInt8(((x - 160) * (x - 160) + (y - 120) * (y - 120)) / 160 % 256)
            }
        }
        guard let picture = try? Image(width: width, height: height, rgb: pixels) else {
            preconditionFailure("the canary has 3 bytes a pixel")
        }
        return picture
    }()

    package static func answer(_ outputs: [String: Tensor]) throws -> Answer {
        var answer: Answer = [:]
        for (name, tensor) in outputs where tensor.isFloatingPoint {
            answer[name] = try tensor.withFloats { values in
                guard !values.isEmpty else { return [] }
                return (0..<min(sampleCount, values.count)).map {
                    values[$0 * values.count / min(sampleCount, values.count)]
                }
            }
        }
        return answer
    }

    /// How an answer differs from the first one; nil if it does not.
    package static func change(from first: Answer, to now: Answer) -> String? {
        for (name, expected) in first.sorted(by: { $0.key < $1.key }) {
            guard let values = now[name], values.count == expected.count else { return "the output \(name) is gone" }
            let scale = max(expected.lazy.map(abs).max() ?? 0, 1e-6)
            for (one, other) in zip(expected, values) where !(abs(one - other) <= scale * tolerance) {
                return "a value of the output \(name) was \(one), and now is \(other)"
            }
        }
        return nil
    }
}

extension Tensor {
    var isFloatingPoint: Bool { elementType == .float32 || elementType == .float16 }

    /// The elements of an f32 or f16 tensor.
    func withFloats<Result>(_ body: ([Float]) throws -> Result) throws -> Result {
        try body(elementType == .float16 ? elements(of: Float16.self).map { Float($0) } : elements())
    }

    /// Every other number a little larger, the rest a little smaller; numbers that are no fractions stay.
    func shaken(by share: Float) throws -> Tensor {
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
