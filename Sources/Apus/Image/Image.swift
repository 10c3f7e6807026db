internal import Files
package import Imaging
internal import Remedies

/// An image to detect objects in: RGB, upright.
public struct Image: Sendable {
    /// The maximum size of an image, checked before memory is allocated for it.
    public struct Limits: Sendable, Hashable {
        /// Bytes of the encoded file.
        public var bytes: Int
        /// Width times height.
        public var pixels: Int

        /// 100 MB and 100 megapixels by default.
        public init(bytes: Int = 100_000_000, pixels: Int = 100_000_000) {
            self.bytes = bytes
            self.pixels = pixels
        }
    }

    package let bitmap: Bitmap
    /// A defect of the file that the decoder could work around.
    public let warning: String?

    package init(bitmap: Bitmap) {
        self.bitmap = bitmap
        warning = nil
    }

    /// Width in pixels.
    public var width: Int { bitmap.width }
    /// Height in pixels.
    public var height: Int { bitmap.height }

    /// Decodes a JPEG, PNG or WebP file, rotates it upright by its EXIF orientation, and drops alpha.
    ///
    /// - Parameters:
    ///   - bytes: the file.
    ///   - name: the image's name in errors.
    ///   - limits: the maximum size of the image.
    ///   - isCancelled: polled between rows while decoding, on the calling thread. Once it returns true, decoding stops, so
    ///     that a large image isn't decoded for a client that has disconnected. It should be cheap.
    /// - Throws: `ApusError` with code `image`, `tooLarge` or `cancelled`. An image that takes far more work than its size
    ///   justifies (a JPEG with hundreds of scans, say) is refused with code `image`.
    public init(
        decoding bytes: [UInt8], name: String = "image", limits: Limits = Limits(),
        isCancelled: (@Sendable () -> Bool)? = nil
    ) throws(ApusError) {
        try self.init(decoding: bytes[...], name: name, limits: limits, isCancelled: isCancelled)
    }

    /// Reads and decodes a file.
    ///
    /// - Parameters:
    ///   - path: of a JPEG, PNG or WebP file.
    ///   - limits: the maximum size of the image.
    /// - Throws: `ApusError` with code `image`, or `tooLarge`.
    public init(contentsOfFile path: String, limits: Limits = Limits()) throws(ApusError) {
        try self.init(decoding: Image.bytes(ofFile: path, limits: limits), name: path, limits: limits)
    }

    /// Makes an image from pixels: 3 * width * height bytes, RGB, rows from the top.
    ///
    /// - Throws: `ApusError` with code `image` if the number of bytes is wrong.
    public init(width: Int, height: Int, rgb: [UInt8]) throws(ApusError) {
        let (area, overflow) = width.multipliedReportingOverflow(by: height)
        guard width > 0, height > 0, !overflow, area <= Int.max / 3, rgb.count == 3 * area else {
            throw ApusError(
                .image, doing: "make an image of \(width)x\(height)",
                cause: "it needs 3 bytes per pixel, but there are \(rgb.count)",
                remedy: "Provide rows from the top, RGB, 8 bits each, without padding.")
        }
        bitmap = Bitmap(width: width, height: height, pixels: rgb)
        warning = nil
    }

    /// Reads a whole file, unless it is larger than the limit.
    package static func bytes(ofFile path: String, limits: Limits) throws(ApusError) -> [UInt8] {
        try bytes(name: path, limits: limits) { limit throws(BoundedFile.Failure) in
            try BoundedFile.bytes(atPath: path, limit: limit)
        }
    }

    /// Reads standard input to its end, unless it is longer than the limit.
    package static func bytesOfStandardInput(limits: Limits) throws(ApusError) -> [UInt8] {
        try bytes(name: "standard input", limits: limits) { limit throws(BoundedFile.Failure) in
            try BoundedFile.bytes(0, limit: limit, name: "standard input")
        }
    }

    private static func bytes(
        name: String, limits: Limits, _ read: (_ limit: Int) throws(BoundedFile.Failure) -> [UInt8]?
    ) throws(ApusError) -> [UInt8] {
        do {
            if let bytes = try read(limits.bytes) { return bytes }
        } catch {
            throw ApusError(
                .image, doing: "read \(name)", cause: error.cause, remedy: Remedy(error.remedy), underlying: error)
        }
        throw ApusError(ImagingError.tooManyBytes(limit: limits.bytes), doing: "read \(name)")
    }
}
