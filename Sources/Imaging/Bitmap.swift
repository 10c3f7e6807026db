/// An image in memory: RGB, 8 bits each, rows from the top, without padding.
package struct Bitmap: Sendable, Equatable {
    /// Width in pixels.
    package let width: Int
    package let height: Int
    /// 3 * width * height bytes.
    package let pixels: [UInt8]

    package init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(width > 0 && height > 0 && pixels.count == 3 * width * height, "the size is wrong")
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// A bitmap whose bytes `fill` must all write.
    init<Failure: Error>(
        width: Int, height: Int, fill: (UnsafeMutableBufferPointer<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        let count = 3 * width * height
        var failure: Failure?
        let pixels = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            do throws(Failure) {
                try fill(UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
                initialized = count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        self.init(width: width, height: height, pixels: pixels)
    }
}
