internal import Foundation
internal import ONNX

/// The sine encoding of positions on the feature map (`PositionEmbeddingSine` in the reference implementation, normalized): the
/// first half of the channels encodes rows, the second columns, with sines and cosines interleaved.
struct PositionEncoding {
    let builder: GraphBuilder
    let architecture: DETRArchitecture
    let options: DETRExportOptions

    /// Masked cells get this instead of minus infinity: a softmax turns both into 0, but this is a number in f16 and bf16 too,
    /// and a block of the attention that contains nothing else stays finite.
    private static let maskedScore: Float = -30_000
    private static let epsilon: Float = 1e-6

    private var channels: Int { architecture.hiddenSize / 2 }

    /// The factor from radians of a full turn to each channel's, and the phase that turns odd ones into cosines:
    /// cos x = sin(x + pi/2).
    private var frequencies: [Float] {
        (0..<channels).map { Float(pow(10_000, -Double($0 / 2 * 2) / Double(channels))) }
    }
    private var phases: [Float] { (0..<channels).map { $0.isMultiple(of: 2) ? 0 : Float.pi / 2 } }

    /// Returns the encoding [batch or 1, cells, channels] and, with padding, the bias to add to attention's scores.
    func add(_ features: String) -> (positions: String, bias: String?) {
        if !options.hasPadding, let height = options.height, let width = options.width {
            return (constant(height: height, width: width), nil)
        }
        let frequencies = builder.weight("positions.frequencies", frequencies, shape: [channels])
        let phases = builder.weight("positions.phases", phases, shape: [channels])
        let shape = builder.add("Shape", [features], as: "shape")
        let canvas = options.hasPadding ? builder.add("Shape", ["inputs"], as: "canvas") : nil
        let sides = [("rows", 2), ("columns", 3)].map { name, axis in
            side(name, axis, shape: shape, canvas: canvas, frequencies: frequencies, phases: phases)
        }
        // [batch, rows, 1, channels] and [batch, 1, columns, channels], broadcast to each other.
        let one = builder.integers([1])
        let spread = zip(sides, [2, 1]).map { side, axis in
            let other = sides[axis - 1].size
            let target = builder.add(
                "Concat", axis == 2 ? [one, one, other, one] : [one, other, one, one], [.int("axis", 0)],
                as: "\(side.name)_target")
            return builder.add(
                "Expand", [builder.add("Unsqueeze", [side.waves, builder.integers([axis])]), target],
                as: "\(side.name)_spread")
        }
        let joined = builder.add("Concat", spread, [.int("axis", -1)], as: "joined")
        let positions = builder.add("Reshape", [joined, builder.integers([0, -1, 2 * channels])], as: "positions")
        guard let rows = sides[0].kept, let columns = sides[1].kept else { return (positions, nil) }
        let kept = builder.add(
            "And",
            [
                builder.add("Unsqueeze", [rows, builder.integers([2])]),
                builder.add("Unsqueeze", [columns, builder.integers([1])]),
            ], as: "kept")
        let scores = builder.add(
            "Where", [kept, builder.scalar(0), builder.scalar(PositionEncoding.maskedScore)], as: "scores")
        return (positions, builder.add("Reshape", [scores, builder.integers([0, 1, 1, -1])], as: "bias"))
    }

    private struct Side {
        var name: String
        /// The number of cells, as a one-element list.
        var size: String
        /// [batch or 1, cells, channels]
        var waves: String
        /// [batch, cells], true on the image.
        var kept: String?
    }

    private func side(
        _ name: String, _ axis: Int, shape: String, canvas: String?, frequencies: String, phases: String
    ) -> Side {
        let size = builder.add("Gather", [shape, builder.integers([axis])], [.int("axis", 0)], as: "\(name)_size")
        let count = builder.add("Squeeze", [size, builder.integers([0])], as: "\(name)_count")
        let (zero, one) = (builder.integers([0], shape: []), builder.integers([1], shape: []))
        let cells = builder.add("Range", [zero, count, one], as: name)
        let numbers = builder.add(
            "Cast", [builder.add("Add", [cells, one], as: "\(name)_from_one")], [.int("to", DataType.float32.rawValue)],
            as: "\(name)_numbers")
        var kept: String?
        var rank = numbers
        var last = builder.add("Cast", [size], [.int("to", DataType.float32.rawValue)], as: "\(name)_last")
        if let canvas {
            // A cell is the pixel at floor(cell * pixels / cells), as in nearest down-sampling of the mask. Computed in integers,
            // as a device that computes in 16 bits would be off by a pixel.
            let pixels = builder.add(
                "Gather", [canvas, builder.integers([axis])], [.int("axis", 0)], as: "\(name)_pixels")
            let source = builder.add(
                "Div", [builder.add("Mul", [cells, pixels], as: "\(name)_scaled"), size], as: "\(name)_source")
            let valid = builder.add(
                "Gather", ["valid_sizes", builder.integers([axis - 2])], [.int("axis", 1)], as: "\(name)_valid")
            let inside = builder.add("Less", [source, valid], as: "\(name)_kept")
            let ones = builder.add("Cast", [inside], [.int("to", DataType.float32.rawValue)], as: "\(name)_ones")
            last = builder.add(
                "ReduceSum", [ones, builder.integers([1])], [.int("keepdims", 1)], as: "\(name)_kept_last")
            // Padded cells are masked, so any finite rank will do.
            rank = builder.add("Min", [numbers, last], as: "\(name)_rank")
            kept = inside
        } else {
            rank = builder.add("Unsqueeze", [rank, builder.integers([0])], as: "\(name)_rank")
        }
        let share = builder.add(
            "Div", [rank, builder.add("Add", [last, builder.scalar(PositionEncoding.epsilon)], as: "\(name)_length")],
            as: "\(name)_share")
        let turns = builder.add("Mul", [share, builder.scalar(2 * .pi)], as: "\(name)_turns")
        let angles = builder.add(
            "Mul", [builder.add("Unsqueeze", [turns, builder.integers([2])], as: "\(name)_column"), frequencies],
            as: "\(name)_angles")
        let waves = builder.add(
            "Sin", [builder.add("Add", [angles, phases], as: "\(name)_phases")], as: "\(name)_waves")
        return Side(name: name, size: size, waves: waves, kept: kept)
    }

    /// The whole encoding, for a model of fixed size.
    private func constant(height: Int, width: Int) -> String {
        let (rows, columns) = (cells(height), cells(width))
        func waves(_ number: Int, of count: Int) -> [Float] {
            let angle = Float(number + 1) / (Float(count) + PositionEncoding.epsilon) * 2 * .pi
            return zip(frequencies, phases).map { sin(angle * $0 + $1) }
        }
        let vertical = (0..<rows).map { waves($0, of: rows) }
        let horizontal = (0..<columns).map { waves($0, of: columns) }
        var values: [Float] = []
        values.reserveCapacity(rows * columns * 2 * channels)
        for row in vertical { for column in horizontal { values += row + column } }
        return builder.weight("positions", values, shape: [1, rows * columns, 2 * channels])
    }

    /// Cells of the feature map along a side: each halving rounds up.
    private func cells(_ pixels: Int) -> Int { (pixels + architecture.stride - 1) / architecture.stride }
}
