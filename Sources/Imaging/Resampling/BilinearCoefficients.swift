internal import CResampling

/// The weights for resampling one axis of an image, in Pillow's fixed point.
///
/// Antialiased bilinear: when shrinking, the triangle filter is widened by the scale. Arithmetic and rounding are those of
/// Pillow's `precompute_coeffs` and `normalize_coeffs_8bpc` (`src/libImaging/Resample.c`), so that results are identical bit for
/// bit.
struct BilinearCoefficients {
    /// Bits after the point: 32, minus 8 for the pixel and 2 for the sum.
    static let precision = 32 - 8 - 2

    /// Max source pixels per target pixel.
    let support: Int
    /// The first source pixel of each target pixel.
    let first: [Int]
    /// The number of source pixels of each target pixel.
    let count: [Int]
    /// `support` weights for each target pixel; those beyond its count are zero.
    let weights: [Int32]
    /// The same for vector instructions: `groups` groups for each target pixel (resampling.h).
    let grouped: [Int16]
    let groups: Int

    func weight(_ target: Int, _ tap: Int) -> Int32 { weights[target * support + tap] }

    init(from source: Int, to target: Int) {
        let scale = Double(source) / Double(target)
        let filterScale = max(1, scale)
        let radius = filterScale  // the triangle's support is 1
        support = Int(radius.rounded(.up)) * 2 + 1
        var first = [Int](repeating: 0, count: target)
        var count = first
        var weights = [Int32](repeating: 0, count: target * support)
        var exact = [Double](repeating: 0, count: support)
        for index in 0..<target {
            let center = (Double(index) + 0.5) * scale
            let low = max(0, Int(center - radius + 0.5))
            let high = min(source, Int(center + radius + 0.5))
            var sum = 0.0
            for position in 0..<(high - low) {
                let distance = abs((Double(position + low) - center + 0.5) * (1 / filterScale))
                exact[position] = distance < 1 ? 1 - distance : 0
                sum += exact[position]
            }
            for position in 0..<(high - low) {
                let weight = sum == 0 ? exact[position] : exact[position] / sum
                weights[index * support + position] = Int32(0.5 + weight * Double(1 << BilinearCoefficients.precision))
            }
            first[index] = low
            count[index] = high - low
        }
        self.first = first
        self.count = count
        self.weights = weights
        groups = ((count.max() ?? 0) + 3) / 4
        var grouped = [Int16](repeating: 0, count: target * groups * Int(APUS_WEIGHT_GROUP))
        for index in 0..<target {
            for tap in 0..<count[index] {
                let weight = weights[index * support + tap]
                let place = (index * groups + tap / 4) * Int(APUS_WEIGHT_GROUP) + tap % 4
                grouped[place] = Int16(weight >> APUS_WEIGHT_LOW_BITS)
                grouped[place + 4] = Int16(weight & (1 << APUS_WEIGHT_LOW_BITS - 1))
            }
        }
        self.grouped = grouped
    }
}
