internal import CImageCodecs

extension ImageDecoder {
    /// Of an animated picture, the first frame.
    static func decodeWebP(_ bytes: UnsafeRawBufferPointer, limits: ImageLimits) throws(ImagingError) -> Bitmap {
        let base = bytes.bindMemory(to: UInt8.self).baseAddress
        var features = WebPBitstreamFeatures()
        switch WebPGetFeatures(base, bytes.count, &features) {
        case VP8_STATUS_OK: break
        case VP8_STATUS_NOT_ENOUGH_DATA: throw .truncated(.webp)
        default: throw .corrupt(.webp, "its header is not valid")
        }
        let width = Int(features.width)
        let height = Int(features.height)
        guard width > 0, height > 0 else { throw .corrupt(.webp, "its header says \(width)x\(height)") }
        try limits.check(width: width, height: height)
        // The container states its own length: a shorter file was cut.
        if Int(bytes.littleEndian(UInt32.self, at: 4)) + 8 > bytes.count { throw .truncated(.webp) }
        return try Bitmap(width: width, height: height) { pixels throws(ImagingError) in
            if features.has_animation != 0 {
                try decodeFirstFrame(bytes, pixels: pixels)
            } else if WebPDecodeRGBInto(base, bytes.count, pixels.baseAddress, pixels.count, Int32(3 * width)) == nil {
                throw .corrupt(.webp, "its pixels cannot be decoded")
            }
        }
    }

    private static func decodeFirstFrame(
        _ bytes: UnsafeRawBufferPointer, pixels: UnsafeMutableBufferPointer<UInt8>
    ) throws(ImagingError) {
        var data = WebPData(bytes: bytes.bindMemory(to: UInt8.self).baseAddress, size: bytes.count)
        guard let decoder = WebPAnimDecoderNew(&data, nil) else { throw .corrupt(.webp, "it is no animation") }
        defer { WebPAnimDecoderDelete(decoder) }
        var info = WebPAnimInfo()
        var frame: UnsafeMutablePointer<UInt8>?
        var time: Int32 = 0
        guard WebPAnimDecoderGetInfo(decoder, &info) != 0,
            3 * Int(info.canvas_width) * Int(info.canvas_height) == pixels.count,
            WebPAnimDecoderGetNext(decoder, &frame, &time) != 0, let frame
        else { throw .corrupt(.webp, "its first frame cannot be decoded") }
        for pixel in 0..<(pixels.count / 3) {
            for channel in 0..<3 { pixels[3 * pixel + channel] = frame[4 * pixel + channel] }
        }
    }
}
