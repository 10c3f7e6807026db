/// What a picture may be at most, checked before memory is set aside for it.
package struct ImageLimits: Sendable, Equatable {
    /// Bytes of the encoded file.
    package var bytes = 100_000_000
    /// Width times height.
    package var pixels = 100_000_000

    package init(bytes: Int = 100_000_000, pixels: Int = 100_000_000) {
        self.bytes = bytes
        self.pixels = pixels
    }

    package func check(bytes count: Int) throws(ImagingError) {
        if count > bytes {
            throw ImagingError(
                .tooManyBytes, "it has \(count) bytes; the limit is \(bytes)",
                remedy: "Use a smaller file, or raise the limit (--max-bytes).")
        }
    }

    func check(width: Int, height: Int) throws(ImagingError) {
        let (count, overflow) = width.multipliedReportingOverflow(by: height)
        if overflow || count > pixels {
            throw ImagingError(
                .tooManyPixels,
                "it is \(width)x\(height), \(overflow ? "too many" : "\(count)") pixels; the limit is \(pixels)",
                remedy: "Use a smaller picture, or raise the limit (--max-pixels).")
        }
    }
}
