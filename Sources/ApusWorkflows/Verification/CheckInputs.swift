internal import Apus
internal import Engine
internal import Foundation
internal import Remedies

/// One set of synthetic inputs for a model. The numbers are the same every time.
struct CheckInputs: CustomStringConvertible {
    private enum Values {
        case floats([Float])
        case integers([Int])
    }

    private struct Input {
        var shape: [Int]
        var values: Values
    }

    private enum Kind: String {
        /// Random numbers for the first image of a batch, extremes for the others.
        case random
        case zeros, extremes
    }

    private var inputs: [String: Input] = [:]
    private let kind: Kind

    var description: String {
        inputs.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.shape) \(kind.rawValue)" }.joined(separator: ", ")
    }

    /// Random numbers and the extreme pixel values, and zeros at a size that nothing divides.
    ///
    /// - Parameter family: the meaning of a detector's inputs; nil for any other model.
    static func cases(for inputs: [ValueInfo], family: ModelInputs?) throws(ApusError) -> [CheckInputs] {
        // A model of one fixed size gets one case.
        if inputs.allSatisfy({ $0.dimensions.allSatisfy { $0.size != nil } }) {
            return [try CheckInputs(.random, inputs, family, batch: 2, height: 64, width: 96)]
        }
        let zeros = try CheckInputs(.zeros, inputs, family, batch: 1, height: 37, width: 53)
        if inputs.contains(where: { $0.dimensions.first?.size == 1 }) {
            return try singles(for: inputs, family: family) + [zeros]
        }
        return [try CheckInputs(.random, inputs, family, batch: 2, height: 64, width: 96), zeros]
    }

    /// One image at a time, for a model that declares any batch size but fails on several images.
    static func singles(for inputs: [ValueInfo], family: ModelInputs?) throws(ApusError) -> [CheckInputs] {
        [
            try CheckInputs(.random, inputs, family, batch: 1, height: 64, width: 96),
            try CheckInputs(.extremes, inputs, family, batch: 1, height: 64, width: 96),
        ]
    }

    private init(
        _ kind: Kind, _ values: [ValueInfo], _ family: ModelInputs?, batch: Int, height: Int, width: Int
    ) throws(ApusError) {
        self.kind = kind
        let extremes = family?.format.range ?? (-2.5)...2.5
        var generator = SplitMix64(state: 20_250_131)
        func shape(of value: ValueInfo) -> [Int] { CheckInputs.shape(value, batch, height, width) }
        let canvas = values.map(shape).first { $0.count == 4 } ?? [batch, 3, height, width]
        for value in values {
            let shape = shape(of: value)
            guard let type = value.elementType,
                let count = ModelInputs.elementCount(shape), count < 1 << 28
            else {
                throw ApusError(
                    .verification, doing: "check the model", cause: "no test input could be made for \(value)",
                    remedy: "Skip the check: \(setting: .noCheck)")
            }
            let first = count / max(1, value.dimensions.first?.size == nil ? shape.first ?? 1 : 1)
            switch type {
            case .float32, .float16, .float64, .bfloat16:
                let numbers: [Float] = (0..<count).map { index in
                    // Black and white squares.
                    let isBlack = (index / 16 + index / (16 * max(1, shape.last ?? 1))).isMultiple(of: 2)
                    let edge = isBlack ? extremes.lowerBound : extremes.upperBound
                    return switch kind {
                    case .random: index < first ? generator.normal() : edge
                    case .zeros: 0
                    case .extremes: edge
                    }
                }
                inputs[value.name] = Input(shape: shape, values: .floats(numbers))
            case .uint8, .int32, .int64, .bool:
                var integers = [Int](repeating: 1, count: count)
                let content = family?.auxiliary.first { $0.value.name == value.name }?.content
                if content == .contentSizes || content == .originalSizes {
                    let sides = content == .contentSizes ? [canvas[2], canvas[3]] : [canvas[3], canvas[2]]
                    // The first image of the batch fills the canvas, the next one doesn't.
                    integers = (0..<(count / 2)).flatMap { $0 == 0 ? sides : [sides[0] / 2, sides[1] * 2 / 3] }
                }
                inputs[value.name] = Input(shape: shape, values: .integers(integers))
            }
        }
    }

    /// The shape of an input, with open dimensions filled in.
    private static func shape(_ value: ValueInfo, _ batch: Int, _ height: Int, _ width: Int) -> [Int] {
        let rank = value.dimensions.count
        return value.dimensions.enumerated().map { position, dimension in
            if let size = dimension.size { return size }
            // Images are [batch, channels, height, width], masks [batch, height, width].
            if position == 0 { return batch }
            if rank == 4 { return position == 1 ? 3 : position == 2 ? height : width }
            if rank == 3 { return position == 1 ? height : width }
            return 8
        }
    }

    /// The same inputs with their numbers rounded to the given precision.
    func rounded(to tolerance: ModelCheck.Tolerance) -> CheckInputs {
        var copy = self
        for (name, input) in inputs {
            guard case .floats(let values) = input.values else { continue }
            copy.inputs[name]?.values = .floats(
                values.enumerated().map { index, value in
                    switch tolerance {
                    case .f16: Float(Float16(value * (index.isMultiple(of: 2) ? 1.0005 : 0.9995)))
                    case .f32: index.isMultiple(of: 2) ? value.nextUp : value.nextDown
                    }
                })
        }
        return copy
    }

    /// The inputs as tensors of the types that a form of the model expects.
    func tensors(for values: [ValueInfo]) throws -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for value in values {
            guard let input = inputs[value.name] else {
                throw ApusError(
                    .verification, doing: "check the model",
                    cause: "it has an input \(value.name) that its source lacks",
                    remedy: "Please report this and attach the model.")
            }
            switch (input.values, value.elementType) {
            case (.floats(let numbers), .float32):
                tensors[value.name] = try Tensor(shape: input.shape, scalars: numbers)
            case (.floats(let numbers), .float16):
                tensors[value.name] = try Tensor(shape: input.shape, scalars: numbers.map { Float16($0) })
            case (.floats(let numbers), .float64):
                tensors[value.name] = try Tensor(shape: input.shape, scalars: numbers.map { Double($0) })
            case (.floats(let numbers), .bfloat16):
                tensors[value.name] = try Tensor(shape: input.shape, scalars: numbers.map { BFloat16($0) })
            case (.integers(let numbers), .int64):
                tensors[value.name] = try Tensor(shape: input.shape, scalars: numbers.map { Int64($0) })
            case (.integers(let numbers), .int32):
                tensors[value.name] = try Tensor(shape: input.shape, scalars: numbers.map { Int32($0) })
            case (.integers(let numbers), .uint8):
                tensors[value.name] = try Tensor(shape: input.shape, scalars: numbers.map { UInt8(clamping: $0) })
            case (.integers(let numbers), .bool):
                tensors[value.name] = try Tensor(shape: input.shape, scalars: numbers.map { $0 != 0 })
            default:
                throw ApusError(
                    .verification, doing: "check the model",
                    cause: "the type of its input \(value) differs from the source's",
                    remedy: "Please report this and attach the model.")
            }
        }
        return tensors
    }
}

/// Random numbers that are the same on every machine (Steele et al., 2014, "Fast splittable pseudorandom number generators").
private struct SplitMix64 {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Normal distribution with mean 0 and deviation 1, by Box and Muller.
    mutating func normal() -> Float {
        let radius = (-2 * log(Double(next() >> 11 | 1) * 0x1p-53)).squareRoot()
        return Float(radius * cos(2 * .pi * Double(next() >> 11) * 0x1p-53))
    }
}
