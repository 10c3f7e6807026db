/// How the numbers of one output differ between reference and candidate, over all pictures.
public struct OutputComparison: Sendable, Encodable {
    /// Values that were compared.
    public private(set) var count = 0
    /// The largest magnitude of the reference's.
    public private(set) var scale = 0.0
    /// The largest difference of two values; infinite if one of them is not a number.
    public private(set) var largestDifference = 0.0
    private var sums = Sums()

    private struct Sums: Sendable {
        var difference = 0.0
        var x = 0.0
        var y = 0.0
        var xx = 0.0
        var yy = 0.0
        var xy = 0.0
    }

    private enum CodingKeys: String, CodingKey {
        case correlation, largestDifference, meanDifference, scale
    }

    package init() {}

    /// The mean difference of two values.
    public var meanDifference: Double { sums.difference / Double(max(1, count)) }

    /// Pearson's correlation coefficient: 1 where both say the same but for scale and offset. It is not defined where one of
    /// them does not vary: 1 then if both are equal, else 0.
    public var correlation: Double {
        let count = Double(max(1, self.count))
        let covariance = sums.xy - sums.x * sums.y / count
        let deviation = ((sums.xx - sums.x * sums.x / count) * (sums.yy - sums.y * sums.y / count)).squareRoot()
        return deviation > 0 ? covariance / deviation : largestDifference == 0 ? 1 : 0
    }

    package mutating func add(reference: [Float], candidate: [Float]) {
        guard reference.count == candidate.count else {
            largestDifference = .infinity
            return
        }
        count += reference.count
        for (one, other) in zip(reference, candidate) {
            let (x, y) = (Double(one), Double(other))
            let difference = abs(x - y)
            // What is no number differs from everything.
            guard difference.isFinite else {
                largestDifference = .infinity
                continue
            }
            scale = max(scale, abs(x))
            largestDifference = max(largestDifference, difference)
            sums.difference += difference
            sums.x += x
            sums.y += y
            sums.xx += x * x
            sums.yy += y * y
            sums.xy += x * y
        }
    }

    /// Writes the four figures.
    ///
    /// - Throws: what the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(correlation, forKey: .correlation)
        // JSON has no infinity: null says that a value is no number.
        try container.encode(largestDifference.isFinite ? largestDifference : nil, forKey: .largestDifference)
        try container.encode(meanDifference, forKey: .meanDifference)
        try container.encode(scale, forKey: .scale)
    }
}

extension OutputComparison {
    /// Output by output, over all pictures.
    static func compare(
        _ reference: [[String: [Float]]], _ candidate: [[String: [Float]]]
    ) -> [String: OutputComparison] {
        var comparisons: [String: OutputComparison] = [:]
        for (expected, found) in zip(reference, candidate) {
            for (name, values) in expected {
                comparisons[name, default: OutputComparison()].add(reference: values, candidate: found[name] ?? [])
            }
        }
        return comparisons
    }
}
