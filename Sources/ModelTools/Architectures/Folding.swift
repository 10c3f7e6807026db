internal import ONNX

/// Batch norm with fixed statistics: a scale and a shift per channel (`FrozenBatchNorm2d` in the reference implementation,
/// epsilon 1e-5).
struct FrozenBatchNorm: Sendable {
    let scale: [Float]
    let shift: [Float]

    init(weight: [Float], bias: [Float], mean: [Float], variance: [Float]) {
        scale = zip(weight, variance).map { $0 / ($1 + 1e-5).squareRoot() }
        shift = bias.indices.map { bias[$0] - mean[$0] * (weight[$0] / (variance[$0] + 1e-5).squareRoot()) }
    }

    /// A convolution's weight [output channels, …], multiplied by the scale.
    func scaled(_ weight: [Float]) -> [Float] {
        var result = weight
        let row = weight.count / max(1, scale.count)
        result.withUnsafeMutableBufferPointer { values in
            for (channel, factor) in scale.enumerated() {
                for index in (channel * row)..<((channel + 1) * row) { values[index] *= factor }
            }
        }
        return result
    }
}

struct Matrix {
    let rows: Int
    let columns: Int
    let values: [Float]

    func transposed(scale: Float) -> [Float] {
        [Float](unsafeUninitializedCapacity: rows * columns) { target, count in
            values.withUnsafeBufferPointer { source in
                // In square tiles, so that both sides stay in the cache.
                let side = 16
                for top in stride(from: 0, to: rows, by: side) {
                    for left in stride(from: 0, to: columns, by: side) {
                        for column in left..<min(left + side, columns) {
                            for row in top..<min(top + side, rows) {
                                target[column * rows + row] = source[row * columns + column] * scale
                            }
                        }
                    }
                }
            }
            count = rows * columns
        }
    }
}

extension [Float] {
    var bytes: [UInt8] { withUnsafeBytes { Array<UInt8>($0) } }
}

extension CheckpointTensor {
    /// The elements as f32 in row-major order: left in the file if they are stored that way.
    var payload: ONNXTensor.Payload {
        if type == .float32, let bytes = contiguousBytes { return .raw(bytes) }
        return .computed(byteCount: 4 * count) { floats().bytes }
    }
}
