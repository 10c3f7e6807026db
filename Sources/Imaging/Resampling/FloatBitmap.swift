/// An image in memory as floating-point samples: RGB, 0 to 1, rows from the top, without padding.
package struct FloatBitmap: Sendable, Equatable {
    /// Width in pixels.
    package let width: Int
    package let height: Int
    /// 3 * width * height samples, interleaved like a ``Bitmap``'s.
    package let samples: [Float]

    package init(width: Int, height: Int, samples: [Float]) {
        precondition(width > 0 && height > 0 && samples.count == 3 * width * height, "the size is wrong")
        self.width = width
        self.height = height
        self.samples = samples
    }

    /// A bitmap whose samples `fill` must all write.
    init(width: Int, height: Int, fill: (UnsafeMutableBufferPointer<Float>) -> Void) {
        let count = 3 * width * height
        let samples = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            fill(UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
            initialized = count
        }
        self.init(width: width, height: height, samples: samples)
    }
}
