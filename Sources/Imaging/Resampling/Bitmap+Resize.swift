internal import Dispatch

extension Bitmap {
    /// Resizes with antialiased bilinear filtering, equal to Pillow's `resize((width, height), BILINEAR)` bit for bit.
    ///
    /// Columns first, rounded to 8 bits, then rows, as Pillow does; an axis that keeps its size is not filtered.
    package func resized(width: Int, height: Int) -> Bitmap {
        precondition(width > 0 && height > 0, "a bitmap has at least one pixel")
        var result = self
        if width != self.width { result = result.resizedColumns(to: width) }
        if height != self.height { result = result.resizedRows(to: height) }
        return result
    }

    private func resizedColumns(to target: Int) -> Bitmap {
        let axis = BilinearCoefficients(from: width, to: target)
        let (sourceWidth, rows) = (width, height)
        return pixels.withUnsafeBufferPointer { source in
            Bitmap(width: target, height: rows) { output in
                nonisolated(unsafe) let (source, output) = (source, output)  // bands write rows of their own
                inParallel(rows: rows, work: rows * target * axis.support) { range in
                    for y in range {
                        filterRow(source, 3 * y * sourceWidth, into: output, 3 * y * target, axis: axis)
                    }
                }
            }
        }
    }

    private func resizedRows(to target: Int) -> Bitmap {
        let axis = BilinearCoefficients(from: height, to: target)
        let stride = 3 * width
        return pixels.withUnsafeBufferPointer { source in
            Bitmap(width: width, height: target) { output in
                nonisolated(unsafe) let (source, output) = (source, output)  // bands write rows of their own
                inParallel(rows: target, work: target * width * axis.support) { range in
                    for y in range { mixRows(source, stride: stride, into: output, y: y, axis: axis) }
                }
            }
        }
    }
}

/// Work below this many multiplications per channel is not worth a second thread.
private let parallelThreshold = 2_000_000

/// Runs `body` over bands of rows, on several cores if there is enough to do. Every row is computed alike, so the
/// result does not depend on the number of cores.
private func inParallel(rows: Int, work: Int, _ body: @Sendable (Range<Int>) -> Void) {
    guard work >= parallelThreshold else { return body(0..<rows) }
    let bands = min(rows, 16)
    DispatchQueue.concurrentPerform(iterations: bands) { band in
        body((rows * band / bands)..<(rows * (band + 1) / bands))
    }
}

private let half: Int32 = 1 << Int32(BilinearCoefficients.precision - 1)

@inline(__always)
private func rounded(_ sum: Int32) -> UInt8 {
    // Weights are not negative and add up to one, so only rounding can pass 255.
    UInt8(truncatingIfNeeded: min(255, sum >> Int32(BilinearCoefficients.precision)))
}

/// Filters one row of RGB pixels.
private func filterRow(
    _ source: UnsafeBufferPointer<UInt8>, _ sourceStart: Int, into target: UnsafeMutableBufferPointer<UInt8>,
    _ targetStart: Int, axis: BilinearCoefficients
) {
    guard let source = source.baseAddress, let target = target.baseAddress else { return }
    axis.weights.withUnsafeBufferPointer { weights in
        guard let weights = weights.baseAddress else { return }
        for x in 0..<axis.first.count {
            var pixel = source + sourceStart + 3 * axis.first[x]
            var (red, green, blue) = (half, half, half)
            let base = weights + x * axis.support
            for tap in 0..<axis.count[x] {
                let weight = base[tap]
                red &+= Int32(pixel[0]) &* weight
                green &+= Int32(pixel[1]) &* weight
                blue &+= Int32(pixel[2]) &* weight
                pixel += 3
            }
            let output = target + targetStart + 3 * x
            output[0] = rounded(red)
            output[1] = rounded(green)
            output[2] = rounded(blue)
        }
    }
}

/// Mixes the source rows that target row `y` takes from.
private func mixRows(
    _ source: UnsafeBufferPointer<UInt8>, stride: Int, into target: UnsafeMutableBufferPointer<UInt8>, y: Int,
    axis: BilinearCoefficients
) {
    guard let source = source.baseAddress, let target = target.baseAddress else { return }
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: stride) { sums in
        guard let sums = sums.baseAddress else { return }
        for x in 0..<stride { sums[x] = half }
        for tap in 0..<axis.count[y] {
            let weight = axis.weights[y * axis.support + tap]
            let row = source + (axis.first[y] + tap) * stride
            for x in 0..<stride { sums[x] &+= Int32(row[x]) &* weight }
        }
        let output = target + y * stride
        for x in 0..<stride { output[x] = rounded(sums[x]) }
    }
}
