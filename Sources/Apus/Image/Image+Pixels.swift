package import Imaging
internal import Remedies

extension Image {
    /// How raw pixels lie in memory: 8 bits each, rows from the top.
    public struct PixelLayout: Hashable, Sendable {
        package let layout: RawLayout

        /// Red, green, blue.
        public static let rgb = PixelLayout(layout: .rgb)
        /// Blue, green, red, as OpenCV stores images.
        public static let bgr = PixelLayout(layout: .bgr)
        /// Red, green, blue, alpha; alpha is dropped.
        public static let rgba = PixelLayout(layout: .rgba)
        /// Blue, green, red, alpha; alpha is dropped.
        public static let bgra = PixelLayout(layout: .bgra)
        /// The output of video decoders: a plane of luma, then, at half the rows, pairs of blue and red difference for each 2 x 2
        /// pixels. Converted by ITU-R BT.601 in limited range, as OpenCV does.
        public static let nv12 = PixelLayout(layout: .nv12)
    }

    /// Makes an image from a copy of raw pixels.
    ///
    /// - Parameters:
    ///   - width: pixels; even for NV12.
    ///   - height: pixels; even for NV12.
    ///   - pixels: all rows, one every `bytesPerRow`; the last one may lack its padding.
    ///   - layout: the order of the channels.
    ///   - bytesPerRow: nil for rows without padding.
    ///   - limits: the maximum size of the image.
    /// - Throws: `ApusError` with code `image` if there are too few bytes or the sizes are invalid, `tooLarge` if the image has
    ///   more pixels than `limits` allow.
    public init(
        width: Int, height: Int, pixels: UnsafeRawBufferPointer, layout: PixelLayout, bytesPerRow: Int? = nil,
        limits: Limits = Limits()
    ) throws(ApusError) {
        let doing = "make an image of \(width)x\(height)"
        func invalid(_ cause: String) -> ApusError {
            ApusError(
                .image, doing: doing, cause: cause, remedy: "Provide whole rows from the top, 8 bits per channel.")
        }
        let (area, overflow) = width.multipliedReportingOverflow(by: height)
        guard width > 0, height > 0, !overflow else { throw invalid("it has no pixels, or too many to count") }
        guard area <= min(limits.pixels, ImageLimits.mostPixels) else {
            throw ApusError(
                .tooLarge, doing: doing, cause: "it has \(area) pixels; the limit is \(limits.pixels)",
                remedy: "Use a smaller image, or raise the limit: \(setting: .maxPixels).")
        }
        let layout = layout.layout
        guard layout != .nv12 || (width.isMultiple(of: 2) && height.isMultiple(of: 2)) else {
            throw invalid("NV12 needs an even width and height")
        }
        let stride = bytesPerRow ?? layout.rowBytes(width: width)
        guard (layout.rowBytes(width: width)...(1 << 32)).contains(stride) else {
            throw invalid("a row needs \(layout.rowBytes(width: width)) bytes, but bytesPerRow is \(stride)")
        }
        let count = layout.byteCount(width: width, height: height, stride: stride)
        guard pixels.count >= count else {
            throw invalid("it needs \(count) bytes, but there are \(pixels.count)")
        }
        self.init(bitmap: Bitmap(width: width, height: height, raw: pixels, layout: layout, stride: stride))
    }
}
