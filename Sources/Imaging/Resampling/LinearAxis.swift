/// The positions of the samples of one axis between those of the source, each computed from two neighbors.
struct LinearAxis<Weight: Sendable>: Sendable {
    /// The number of source samples.
    let sourceCount: Int
    /// The first neighbor of each target sample, from -1; the second is the next one. Those beyond the source are clamped.
    private(set) var first: [Int32] = []
    /// Two weights per target sample.
    private(set) var weights: [Weight] = []

    init(from source: Int, to target: Int, _ sample: (Int) -> (first: Int, weights: (Weight, Weight))) {
        sourceCount = source
        first.reserveCapacity(target)
        weights.reserveCapacity(2 * target)
        for index in 0..<target {
            let sample = sample(index)
            first.append(Int32(sample.first))
            weights.append(sample.weights.0)
            weights.append(sample.weights.1)
        }
    }

    /// Both neighbors of a target sample.
    func neighbors(_ target: Int) -> (Int, Int) {
        let first = Int(first[target])
        return (max(0, first), min(first + 1, sourceCount - 1))
    }
}

/// The two filtered rows around a row of the target. As targets advance, each source row is filtered once.
struct RowPair<Sample> {
    private var upper: (row: Int, samples: UnsafeMutablePointer<Sample>)
    private var lower: (row: Int, samples: UnsafeMutablePointer<Sample>)

    /// - Parameter memory: room for twice `stride` samples.
    init(_ memory: UnsafeMutablePointer<Sample>, stride: Int) {
        upper = (-1, memory)
        lower = (-1, memory + stride)
    }

    /// The rows `first` and `second`; `filter` computes those that aren't there yet.
    mutating func rows(
        _ first: Int, _ second: Int, filter: (Int, UnsafeMutablePointer<Sample>) -> Void
    ) -> (UnsafePointer<Sample>, UnsafePointer<Sample>) {
        if upper.row != first {
            if lower.row == first { swap(&upper, &lower) } else { filter(first, upper.samples) }
            upper.row = first
        }
        if second == first { return (UnsafePointer(upper.samples), UnsafePointer(upper.samples)) }
        if lower.row != second {
            filter(second, lower.samples)
            lower.row = second
        }
        return (UnsafePointer(upper.samples), UnsafePointer(lower.samples))
    }
}
