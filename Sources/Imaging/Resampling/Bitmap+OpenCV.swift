internal import CResampling

extension Bitmap {
    /// Resizes bilinearly without antialiasing, equal bit for bit to OpenCV's
    /// `resize(image, (width, height), interpolation=INTER_LINEAR)` of 8-bit RGB.
    ///
    /// This is what the wheels of OpenCV 4.14 and 5.0 execute on x86-64, in `modules/imgproc/src/resize.cpp`: Intel's IPP
    /// isn't used for it (`ipp_resize` refuses 8-bit linear, which it computes differently), and neither is the bit-exact
    /// variant, INTER_LINEAR_EXACT. `cv::hal::resize` takes one of two ways:
    /// - exactly half of both sides: `resizeAreaFast_`, the mean of two by two pixels, rounded half up;
    /// - anything else: `HResizeLinear` with `VResizeLinear`, weights of 11 bits, columns first, rows mixed with a truncation
    ///   before and after their weights.
    ///
    /// Needs two rows of 16-bit samples per core besides the result.
    ///
    /// - Parameter isVectorized: whether to use AVX2, which gives the same result faster.
    func openCVResized(
        width: Int, height: Int, isVectorized: Bool = apus_resampling_is_vectorized()
    ) -> Bitmap {
        precondition(width > 0 && height > 0, "a bitmap has at least one pixel")
        if width == self.width, height == self.height { return self }
        return pixels.withUnsafeBufferPointer { pixels in
            Bitmap(width: width, height: height) { output in
                guard let from = pixels.baseAddress, let to = output.baseAddress else { return }
                // Bands only read the source, and each writes its own rows.
                nonisolated(unsafe) let (source, target) = (from, to)
                let count = pixels.count
                if self.width == 2 * width, self.height == 2 * height {
                    return Bands.forEach(height: height, multiplications: width * height) { band in
                        for y in band {
                            let upper = source + 12 * width * y
                            apus_opencv_halve_rows(
                                upper, upper + 6 * width, target + 3 * width * y, width, isVectorized)
                        }
                    }
                }
                let resizer = OpenCVResizer(
                    columns: LinearAxis(openCVFrom: self.width, to: width, clampsFraction: true),
                    rows: LinearAxis(openCVFrom: self.height, to: height, clampsFraction: false),
                    isVectorized: isVectorized)
                Bands.forEach(height: height, multiplications: 4 * width * height) { band in
                    resizer.resize(source, count: count, to: target, rows: band)
                }
            }
        }
    }
}

private struct OpenCVResizer: Sendable {
    let columns: LinearAxis<Int16>
    let rows: LinearAxis<Int16>
    let isVectorized: Bool

    /// Computes some rows of the target.
    /// - Parameter count: the bytes of the source.
    func resize(
        _ source: UnsafePointer<UInt8>, count: Int, to target: UnsafeMutablePointer<UInt8>, rows band: Range<Int>
    ) {
        let sourceStride = 3 * columns.sourceCount
        let targetStride = 3 * columns.first.count
        let kept = targetStride + Int(APUS_TAPS_SLACK)
        withUnsafeTemporaryAllocation(of: Int16.self, capacity: 2 * kept) { memory in
            guard let memory = memory.baseAddress else { return }
            var pair = RowPair(memory, stride: kept)
            for y in band {
                let (first, second) = rows.neighbors(y)
                let (upper, lower) = pair.rows(first, second) { row, samples in
                    apus_opencv_filter_row(
                        source + row * sourceStride, count - row * sourceStride, columns.sourceCount, samples,
                        columns.first.count, columns.first, columns.weights, isVectorized)
                }
                rows.weights.withUnsafeBufferPointer { weights in
                    apus_opencv_mix_rows(
                        upper, lower, target + y * targetStride, targetStride, weights.baseAddress.map { $0 + 2 * y },
                        isVectorized)
                }
            }
        }
    }
}

extension LinearAxis<Int16> {
    /// The positions and weights of `cv::hal::resize`: computed as doubles, rounded to floats, then to 11 bits, half to
    /// even. Beyond the outermost pixels it clamps columns with their fraction, but rows (in `resizeGeneric_`) without:
    /// the same row then counts twice, truncated twice.
    init(openCVFrom source: Int, to target: Int, clampsFraction: Bool) {
        // Not source / target: OpenCV inverts the inverse.
        let scale = 1 / (Double(target) / Double(source))
        self.init(from: source, to: target) { index in
            let position = Float((Double(index) + 0.5) * scale - 0.5)
            var first = Int(position.rounded(.down))
            var fraction = position - Float(first)
            if clampsFraction, first < 0 || first >= source - 1 {
                fraction = 0
                first = min(max(first, 0), source - 1)
            }
            func weight(_ value: Float) -> Int16 { Int16((value * 2048).rounded(.toNearestOrEven)) }
            return (first, (weight(1 - fraction), weight(fraction)))
        }
    }
}
