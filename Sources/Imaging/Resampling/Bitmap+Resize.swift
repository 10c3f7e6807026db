internal import CResampling
internal import Dispatch

extension Bitmap {
    /// Resizes with antialiased bilinear filtering, identical bit for bit to Pillow's `resize((width, height), BILINEAR)`.
    ///
    /// Columns first, rounded to 8 bits, then rows, as in Pillow; an axis that keeps its size is not filtered. Works in bands of
    /// rows, so that it needs only a few megabytes besides the result, however tall the image.
    ///
    /// - Parameter isVectorized: whether to use AVX2, which gives the same result faster.
    package func resized(
        width: Int, height: Int, isVectorized: Bool = apus_resampling_is_vectorized()
    ) -> Bitmap {
        precondition(width > 0 && height > 0, "a bitmap has at least one pixel")
        if width == self.width, height == self.height { return self }
        return pixels.withUnsafeBufferPointer { pixels in
            Bitmap(width: width, height: height) { output in
                guard let from = pixels.baseAddress, let to = output.baseAddress else { return }
                let resizer = Resizer(
                    columns: width == self.width ? nil : BilinearCoefficients(from: self.width, to: width),
                    rows: height == self.height ? nil : BilinearCoefficients(from: self.height, to: height),
                    source: from, sourceStride: 3 * self.width, sourceCount: pixels.count, targetStride: 3 * width,
                    isVectorized: isVectorized)
                nonisolated(unsafe) let target = to  // each band writes its own rows
                let bands = resizer.bandCount(height: height)
                if bands == 1 { return resizer.resize(to: target, rows: 0..<height) }
                DispatchQueue.concurrentPerform(iterations: bands) { band in
                    resizer.resize(to: target, rows: (height * band / bands)..<(height * (band + 1) / bands))
                }
            }
        }
    }
}

/// Resizes bands of an image. Every row is computed alike, so the result doesn't depend on the bands.
private struct Resizer: @unchecked Sendable {  // the source is only read
    /// Nil for an axis that keeps its size.
    let columns: BilinearCoefficients?
    let rows: BilinearCoefficients?
    let source: UnsafePointer<UInt8>
    /// Bytes per row.
    let sourceStride: Int
    let sourceCount: Int
    let targetStride: Int
    let isVectorized: Bool

    /// Below this many multiplications per channel, a second thread doesn't pay off.
    private static let parallelThreshold = 1_000_000
    /// Max bytes of filtered rows that a band keeps.
    private static let mostKept = 4 << 20

    func bandCount(height: Int) -> Int {
        let work = height * (targetStride / 3) * ((columns?.support ?? 0) + (rows?.support ?? 0))
        guard work >= Resizer.parallelThreshold else { return 1 }
        // Bands are small enough that the rows they keep stay in a core's cache.
        let source = rows.map { $0.first[height - 1] + $0.count[height - 1] } ?? height
        return max(1, min(height, max(16, source * targetStride / Resizer.mostKept)))
    }

    func resize(to target: UnsafeMutablePointer<UInt8>, rows band: Range<Int>) {
        guard let rows else {
            for y in band { filter(row: y, into: target + y * targetStride) }
            return
        }
        guard columns != nil else { return mix(rows, band, of: source, from: 0, to: target) }
        guard let last = band.last else { return }
        let firstRow = rows.first[band.lowerBound]
        let rowCount = rows.first[last] + rows.count[last] - firstRow
        if rowCount * targetStride <= 2 * Resizer.mostKept {
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: rowCount * targetStride) { kept in
                guard let kept = kept.baseAddress else { return }
                for row in 0..<rowCount { filter(row: firstRow + row, into: kept + row * targetStride) }
                mix(rows, band, of: kept, from: firstRow, to: target)
            }
        } else {
            // Too many rows to keep in memory: filtered as they are needed, mostly twice.
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: targetStride) { one in
                guard let one = one.baseAddress else { return }
                withSums { sums in
                    for y in band {
                        sums.begin()
                        for tap in 0..<rows.count[y] {
                            filter(row: rows.first[y] + tap, into: one)
                            sums.add(one, weight: rows.weight(y, tap))
                        }
                        sums.finish(target + y * targetStride)
                    }
                }
            }
        }
    }

    /// Mixes rows that are as wide as the target's, starting with row `first` of the source.
    private func mix(
        _ rows: BilinearCoefficients, _ band: Range<Int>, of kept: UnsafePointer<UInt8>, from first: Int,
        to target: UnsafeMutablePointer<UInt8>
    ) {
        if isVectorized {
            rows.grouped.withUnsafeBufferPointer { weights in
                guard let weights = weights.baseAddress else { return }
                for y in band {
                    apus_mix_rows(
                        kept + (rows.first[y] - first) * targetStride, targetStride, rows.count[y],
                        target + y * targetStride, targetStride, weights + y * rows.groups * Int(APUS_WEIGHT_GROUP))
                }
            }
        } else {
            withSums { sums in
                for y in band {
                    sums.begin()
                    for tap in 0..<rows.count[y] {
                        sums.add(kept + (rows.first[y] + tap - first) * targetStride, weight: rows.weight(y, tap))
                    }
                    sums.finish(target + y * targetStride)
                }
            }
        }
    }

    /// Filters one row of RGB pixels.
    private func filter(row: Int, into target: UnsafeMutablePointer<UInt8>) {
        let source = source + row * sourceStride
        guard let columns else { return target.update(from: source, count: targetStride) }
        if isVectorized {
            return columns.grouped.withUnsafeBufferPointer { weights in
                columns.first.withUnsafeBufferPointer { first in
                    apus_filter_row(
                        source, sourceCount - row * sourceStride, target, first.count, first.baseAddress,
                        weights.baseAddress, columns.groups)
                }
            }
        }
        columns.weights.withUnsafeBufferPointer { weights in
            guard var taps = weights.baseAddress else { return }
            var output = target
            for x in 0..<columns.first.count {
                var pixel = source + 3 * columns.first[x]
                var (red, green, blue) = (RowSums.half, RowSums.half, RowSums.half)
                for tap in 0..<columns.count[x] {
                    let weight = taps[tap]
                    red &+= Int32(pixel[0]) &* weight
                    green &+= Int32(pixel[1]) &* weight
                    blue &+= Int32(pixel[2]) &* weight
                    pixel += 3
                }
                output[0] = RowSums.rounded(red)
                output[1] = RowSums.rounded(green)
                output[2] = RowSums.rounded(blue)
                output += 3
                taps += columns.support
            }
        }
    }

    private func withSums(_ body: (RowSums) -> Void) {
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: targetStride) { memory in
            if let sums = memory.baseAddress { body(RowSums(sums: sums, count: targetStride)) }
        }
    }
}

/// Weighted sums of rows, in Pillow's fixed point.
private struct RowSums {
    static let half: Int32 = 1 << Int32(BilinearCoefficients.precision - 1)

    let sums: UnsafeMutablePointer<Int32>
    let count: Int

    /// Weights are not negative and add up to one, so only rounding can pass 255.
    @inline(__always)
    static func rounded(_ sum: Int32) -> UInt8 {
        UInt8(truncatingIfNeeded: min(255, sum >> Int32(BilinearCoefficients.precision)))
    }

    func begin() { sums.update(repeating: RowSums.half, count: count) }

    func add(_ row: UnsafePointer<UInt8>, weight: Int32) {
        for x in 0..<count { sums[x] &+= Int32(row[x]) &* weight }
    }

    func finish(_ target: UnsafeMutablePointer<UInt8>) {
        for x in 0..<count { target[x] = RowSums.rounded(sums[x]) }
    }
}
