/// The memory layout of raw pixels.
package enum RawLayout: Sendable, Hashable {
    case rgb, bgr, rgba, bgra
    /// A plane of luma, then, at half the rows, pairs of blue and red difference for each 2 x 2 pixels.
    case nv12
}

extension Bitmap {
    /// Copies raw pixels, row by row; alpha is dropped.
    ///
    /// NV12 becomes RGB as in OpenCV's `COLOR_YUV2RGB_NV12`: ITU-R BT.601, limited range, in 20-bit fixed point.
    ///
    /// - Parameters:
    ///   - bytes: at least `RawLayout.byteCount` bytes.
    ///   - stride: bytes from one row to the next; of both planes for NV12.
    package init(width: Int, height: Int, raw bytes: UnsafeRawBufferPointer, layout: RawLayout, stride: Int) {
        precondition(bytes.count >= layout.byteCount(width: width, height: height, stride: stride), "too few bytes")
        self.init(width: width, height: height) { target in
            guard let source = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), let target = target.baseAddress
            else { return }
            for row in 0..<height {
                let line = source + row * stride
                let place = target + 3 * width * row
                switch layout {
                case .rgb: place.update(from: line, count: 3 * width)
                case .bgr: Bitmap.copy(line, to: place, width, step: 3, red: 2, blue: 0)
                case .rgba: Bitmap.copy(line, to: place, width, step: 4, red: 0, blue: 2)
                case .bgra: Bitmap.copy(line, to: place, width, step: 4, red: 2, blue: 0)
                case .nv12: Bitmap.copy(line, chroma: source + (height + row / 2) * stride, to: place, width)
                }
            }
        }
    }

    private static func copy(
        _ source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt8>, _ width: Int, step: Int, red: Int,
        blue: Int
    ) {
        for column in 0..<width {
            target[3 * column] = source[step * column + red]
            target[3 * column + 1] = source[step * column + 1]
            target[3 * column + 2] = source[step * column + blue]
        }
    }

    private static func copy(
        _ luma: UnsafePointer<UInt8>, chroma: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt8>, _ width: Int
    ) {
        // OpenCV, modules/imgproc/src/color_yuv.simd.hpp: ITUR_BT_601_CY, CUB, CUG, CVG, CVR and SHIFT.
        let half: Int32 = 1 << 19
        for column in 0..<width {
            let u = Int32(chroma[column & ~1]) - 128
            let v = Int32(chroma[column | 1]) - 128
            let y = max(0, Int32(luma[column]) - 16) * 1_220_542
            target[3 * column] = UInt8(clamping: (y + half + 1_673_527 * v) >> 20)
            target[3 * column + 1] = UInt8(clamping: (y + half - 852_492 * v - 409_993 * u) >> 20)
            target[3 * column + 2] = UInt8(clamping: (y + half + 2_116_026 * u) >> 20)
        }
    }
}

extension RawLayout {
    /// Bytes of a row without padding.
    package func rowBytes(width: Int) -> Int {
        switch self {
        case .rgb, .bgr: 3 * width
        case .rgba, .bgra: 4 * width
        case .nv12: width
        }
    }

    /// Bytes of an image; the last row needs no padding.
    package func byteCount(width: Int, height: Int, stride: Int) -> Int {
        let rows = self == .nv12 ? height + height / 2 : height
        return (rows - 1) * stride + rowBytes(width: width)
    }
}
