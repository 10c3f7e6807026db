internal import CImageCodecs
internal import Glibc
internal import Remedies

package enum ImageEncoder {
    /// The format for a file name: .png, .jpg or .jpeg.
    package static func format(forPath path: String) throws(ImagingError) -> ImageFormat {
        let name = path.lowercased()
        if name.hasSuffix(".png") { return .png }
        if name.hasSuffix(".jpg") || name.hasSuffix(".jpeg") { return .jpeg }
        throw ImagingError(
            .notEncodable, "the name \(path) does not determine a format",
            remedy: "Use a name that ends in .png or .jpg.")
    }

    /// Encodes as PNG, or as JPEG at quality 92 without chroma subsampling, which would blur thin colored lines.
    package static func encode(_ bitmap: Bitmap, as format: ImageFormat) throws(ImagingError) -> [UInt8] {
        switch format {
        case .png: try encodePNG(bitmap)
        case .jpeg: try encodeJPEG(bitmap)
        case .webp: throw ImagingError(.notEncodable, "Apus does not write WebP", remedy: "Write PNG or JPEG.")
        }
    }

    private static func encodePNG(_ bitmap: Bitmap) throws(ImagingError) -> [UInt8] {
        var file: [UInt8] = []
        var message = CMessage()
        let done = withUnsafeMutablePointer(to: &file) { file in
            apus_png_encode(
                bitmap.pixels, UInt32(bitmap.width), UInt32(bitmap.height), file,
                { context, bytes, count in
                    context?.assumingMemoryBound(to: [UInt8].self).pointee
                        .append(contentsOf: UnsafeBufferPointer(start: bytes, count: count))
                }, &message.text)
        }
        guard done else { throw ImagingError(.notEncodable, message.string) }
        return file
    }

    private static func encodeJPEG(_ bitmap: Bitmap) throws(ImagingError) -> [UInt8] {
        guard bitmap.width <= 65_500, bitmap.height <= 65_500 else {
            throw ImagingError(
                .notEncodable,
                "JPEG is limited to 65,500 pixels per side; this image is \(bitmap.width)x\(bitmap.height)",
                remedy: "Write PNG.")
        }
        var message = CMessage()
        var bytes: UnsafeMutablePointer<UInt8>?
        var count = 0
        defer { free(bytes) }
        guard
            apus_jpeg_encode(
                bitmap.pixels, UInt32(bitmap.width), UInt32(bitmap.height), 92, &bytes, &count, &message.text),
            let bytes
        else { throw ImagingError(.notEncodable, message.string) }
        return Array(UnsafeBufferPointer(start: bytes, count: count))
    }
}
