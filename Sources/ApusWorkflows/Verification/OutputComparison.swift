/// How the numbers of one output differ between reference and candidate, over all images.
public struct OutputComparison: Sendable, Encodable {
    /// The number of values compared.
    public private(set) var count = 0
    /// The largest magnitude in the reference.
    public private(set) var scale = 0.0
    /// The largest difference between two values; infinite if one of them is not a number.
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

    /// The mean difference between two values.
    public var meanDifference: Double { sums.difference / Double(max(1, count)) }

    /// Pearson's correlation coefficient: 1 if both agree up to scale and offset. It is undefined if one of them doesn't vary:
    /// then 1 if both are equal, else 0.
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
            // NaN differs from everything.
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

    /// Encodes the four figures.
    ///
    /// - Throws: what the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(correlation, forKey: .correlation)
        // JSON has no infinity: null means that a value is not a number.
        try container.encode(largestDifference.isFinite ? largestDifference : nil, forKey: .largestDifference)
        try container.encode(meanDifference, forKey: .meanDifference)
        try container.encode(scale, forKey: .scale)
    }
}

extension OutputComparison {
    /// Compares each output over all images.
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
