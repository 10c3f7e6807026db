internal import CImageCodecs

package enum ImageEncoder {
    /// The format that a file's name asks for: .png, .jpg or .jpeg.
    package static func format(forPath path: String) throws(ImagingError) -> ImageFormat {
        let name = path.lowercased()
        if name.hasSuffix(".png") { return .png }
        if name.hasSuffix(".jpg") || name.hasSuffix(".jpeg") { return .jpeg }
        throw ImagingError(
            .notEncodable, "\(path) does not say which format to write", remedy: "End the name with .png or .jpg.")
    }

    /// Encodes as PNG, or as JPEG at quality 92 without chroma subsampling, which would blur thin coloured lines.
    package static func encode(_ bitmap: Bitmap, as format: ImageFormat) throws(ImagingError) -> [UInt8] {
        switch format {
        case .png: try encodePNG(bitmap)
        case .jpeg: try encodeJPEG(bitmap)
        case .webp: throw ImagingError(.notEncodable, "Apus does not write WebP", remedy: "Write PNG or JPEG.")
        }
    }

    private static func encodePNG(_ bitmap: Bitmap) throws(ImagingError) -> [UInt8] {
        var file: [UInt8] = []
        var text = [CChar](repeating: 0, count: Int(APUS_PNG_MESSAGE_SIZE))
        let done = withUnsafeMutablePointer(to: &file) { file in
            apus_png_encode(
                bitmap.pixels, UInt32(bitmap.width), UInt32(bitmap.height), file,
                { context, bytes, count in
                    context?.assumingMemoryBound(to: [UInt8].self).pointee
                        .append(contentsOf: UnsafeBufferPointer(start: bytes, count: count))
                }, &text)
        }
        guard done else {
            throw ImagingError(
                .notEncodable, text.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" })
        }
        return file
    }

    private static func encodeJPEG(_ bitmap: Bitmap) throws(ImagingError) -> [UInt8] {
        guard bitmap.width <= 65_500, bitmap.height <= 65_500 else {
            throw ImagingError(
                .notEncodable, "JPEG ends at 65,500 pixels a side; this is \(bitmap.width)x\(bitmap.height)",
                remedy: "Write PNG.")
        }
        guard let handle = tjInitCompress() else { throw ImagingError(.notEncodable, "out of memory") }
        defer { tjDestroy(handle) }
        var bytes: UnsafeMutablePointer<UInt8>?
        var count: UInt = 0
        let status = tjCompress2(
            handle, bitmap.pixels, Int32(bitmap.width), 0, Int32(bitmap.height), Int32(TJPF_RGB.rawValue), &bytes,
            &count,
            Int32(TJSAMP_444.rawValue), 92, TJFLAG_ACCURATEDCT)
        defer { tjFree(bytes) }
        guard status == 0, let bytes else {
            throw ImagingError(.notEncodable, tjGetErrorStr2(handle).map { String(cString: $0) } ?? "unknown error")
        }
        return Array(UnsafeBufferPointer(start: bytes, count: Int(count)))
    }
}
