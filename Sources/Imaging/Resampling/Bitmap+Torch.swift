internal import CResampling

extension Bitmap {
    /// Divides by 255 and resizes bilinearly without antialiasing, identical bit for bit to torchvision's
    /// `resize(to_tensor(image), (height, width), antialias=False)`, which RF-DETR applies before normalization.
    ///
    /// PyTorch's `upsample_bilinear2d_kernel_impl_float` (`aten/src/ATen/native/cpu/UpSampleKernel.cpp`) picks one of two
    /// kernels for three channels, which add in different orders:
    /// - `height + width <= 128`: `cpu_upsample_linear_channels_last`, the four pixels times products of weights;
    /// - anything larger: `upsample_generic_Nd_kernel_impl`, columns first, then rows.
    ///
    /// PyTorch's sources leave open which additions are fused with a multiplication. The order here is that of its x86-64
    /// wheels of version 2.15 on a processor with AVX2 and FMA, or AVX-512, and more than one thread. Elsewhere PyTorch's
    /// own results differ from these: with one thread (the first kernel at every size), without FMA, or in versions 2.7
    /// to 2.13, which fuse the computation of positions as well. Tests/Fixtures/resampling/index.json records by how much.
    ///
    /// Needs two rows of floats per core besides the result.
    ///
    /// - Parameter isVectorized: whether to use AVX2 and FMA, which give the same result faster.
    package func torchResized(
        width: Int, height: Int, isVectorized: Bool = apus_resampling_is_vectorized()
    ) -> FloatBitmap {
        precondition(width > 0 && height > 0, "a bitmap has at least one pixel")
        let isSmall = width + height <= 128
        let resizer = TorchResizer(
            columns: LinearAxis(torchFrom: self.width, to: width, fusesPosition: isSmall),
            rows: LinearAxis(torchFrom: self.height, to: height, fusesPosition: isSmall), isVectorized: isVectorized)
        return pixels.withUnsafeBufferPointer { pixels in
            FloatBitmap(width: width, height: height) { output in
                guard let from = pixels.baseAddress, let to = output.baseAddress else { return }
                // Bands only read the source, and each writes its own rows.
                nonisolated(unsafe) let (source, target) = (from, to)
                if isSmall, self.width != width || self.height != height {
                    return resizer.resizeSmall(source, to: target)
                }
                let count = pixels.count
                Bands.forEach(height: height, multiplications: 4 * width * height) { band in
                    resizer.resize(source, count: count, to: target, rows: band)
                }
            }
        }
    }
}

private struct TorchResizer: Sendable {
    let columns: LinearAxis<Float>
    let rows: LinearAxis<Float>
    let isVectorized: Bool

    private var sourceStride: Int { 3 * columns.sourceCount }
    private var width: Int { columns.first.count }

    /// Computes some rows of the target.
    /// - Parameter count: the bytes of the source.
    func resize(
        _ source: UnsafePointer<UInt8>, count: Int, to target: UnsafeMutablePointer<Float>, rows band: Range<Int>
    ) {
        let kept = 3 * width + Int(APUS_TAPS_SLACK)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * kept) { memory in
            guard let memory = memory.baseAddress else { return }
            var pair = RowPair(memory, stride: kept)
            for y in band {
                let (first, second) = rows.neighbors(y)
                let (upper, lower) = pair.rows(first, second) { row, samples in
                    apus_torch_filter_row(
                        source + row * sourceStride, count - row * sourceStride, columns.sourceCount, samples, width,
                        columns.first, columns.weights, isVectorized)
                }
                rows.weights.withUnsafeBufferPointer { weights in
                    apus_torch_mix_rows(
                        upper, lower, target + 3 * width * y, 3 * width, weights.baseAddress.map { $0 + 2 * y },
                        isVectorized)
                }
            }
        }
    }

    /// Computes the whole target like PyTorch's kernel for small ones.
    func resizeSmall(_ source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<Float>) {
        for y in rows.first.indices {
            let (upper, lower) = rows.neighbors(y)
            rows.weights.withUnsafeBufferPointer { weights in
                apus_torch_small_row(
                    source + upper * sourceStride, source + lower * sourceStride, columns.sourceCount,
                    target + 3 * width * y, width, columns.first, columns.weights,
                    weights.baseAddress.map { $0 + 2 * y })
            }
        }
    }
}

extension LinearAxis<Float> {
    /// The positions and weights of `area_pixel_compute_scale`, `area_pixel_compute_source_index` and
    /// `compute_source_index_and_lambda` (`aten/src/ATen/native/UpSample.h`), all in floats.
    ///
    /// - Parameter fusesPosition: whether scale * center - 0.5 is rounded once, as the compiler left it in one of the
    ///   kernels.
    init(torchFrom source: Int, to target: Int, fusesPosition: Bool) {
        let scale = Float(source) / Float(target)
        self.init(from: source, to: target) { index in
            if source == target { return (index, (1, 0)) }
            let center = Float(index) + 0.5
            let position = max(0, fusesPosition ? Float(-0.5).addingProduct(scale, center) : scale * center - 0.5)
            let first = min(Int(position.rounded(.down)), source - 1)
            let fraction = min(max(position - Float(first), 0), 1)
            return (first, (1 - fraction, fraction))
        }
    }
}
