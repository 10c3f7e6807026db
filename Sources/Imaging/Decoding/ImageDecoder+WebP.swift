internal import CImageCodecs

extension ImageDecoder {
    /// Decodes the first frame of an animated image, on the black canvas that the animation starts with.
    static func decodeWebP(
        _ bytes: UnsafeRawBufferPointer, limits: ImageLimits, isCancelled: (@Sendable () -> Bool)?
    ) throws(ImagingError) -> Bitmap {
        let base = bytes.bindMemory(to: UInt8.self).baseAddress
        var features = WebPBitstreamFeatures()
        switch WebPGetFeatures(base, bytes.count, &features) {
        case VP8_STATUS_OK: break
        case VP8_STATUS_NOT_ENOUGH_DATA: throw .truncated(.webp)
        default: throw .corrupt(.webp, "its header is not valid")
        }
        let width = Int(features.width)
        let height = Int(features.height)
        guard width > 0, height > 0 else { throw .corrupt(.webp, "its header declares \(width)x\(height)") }
        try limits.check(width: width, height: height)
        // The container states its own length: a shorter file is truncated.
        if Int(bytes.littleEndian(UInt32.self, at: 4)) + 8 > bytes.count { throw .truncated(.webp) }
        let meter = DecodeMeter(
            DecodeBudget(width: width, height: height, bytes: bytes.count), isCancelled: isCancelled)
        return try Bitmap(width: width, height: height) { pixels throws(ImagingError) in
            if features.has_animation != 0 {
                try decodeFirstFrame(bytes, into: pixels, width: width, height: height, meter)
            } else {
                try decodeFrame(bytes, into: pixels, stride: 3 * width, rows: height, meter)
            }
        }
    }

    private static func decodeFirstFrame(
        _ bytes: UnsafeRawBufferPointer, into pixels: UnsafeMutableBufferPointer<UInt8>, width: Int, height: Int,
        _ meter: DecodeMeter
    ) throws(ImagingError) {
        var data = WebPData(bytes: bytes.bindMemory(to: UInt8.self).baseAddress, size: bytes.count)
        guard let demuxer = WebPDemux(&data) else { throw .corrupt(.webp, "it is not a valid animation") }
        defer { WebPDemuxDelete(demuxer) }
        var frame = WebPIterator()
        guard WebPDemuxGetFrame(demuxer, 1, &frame) != 0 else { throw .corrupt(.webp, "it has no frames") }
        defer { WebPDemuxReleaseIterator(&frame) }
        let (x, y) = (Int(frame.x_offset), Int(frame.y_offset))
        guard x >= 0, y >= 0, x + Int(frame.width) <= width, y + Int(frame.height) <= height else {
            throw .corrupt(.webp, "its first frame is larger than its canvas")
        }
        pixels.update(repeating: 0)
        try decodeFrame(
            UnsafeRawBufferPointer(start: frame.fragment.bytes, count: frame.fragment.size),
            into: UnsafeMutableBufferPointer(rebasing: pixels[(3 * (y * width + x))...]), stride: 3 * width,
            rows: Int(frame.height), meter)
    }

    /// Passes the file to the decoder in pieces, to check in between whether the image is still needed.
    ///
    /// Pieces double until rows come out, as the decoder starts over after each piece that ends within its header.
    private static func decodeFrame(
        _ bytes: UnsafeRawBufferPointer, into pixels: UnsafeMutableBufferPointer<UInt8>, stride: Int, rows: Int,
        _ meter: DecodeMeter
    ) throws(ImagingError) {
        let base = bytes.bindMemory(to: UInt8.self).baseAddress
        guard let decoder = WebPINewRGB(MODE_RGB, pixels.baseAddress, pixels.count, Int32(stride)) else {
            throw .corrupt(.webp, "out of memory")
        }
        defer { WebPIDelete(decoder) }
        let piece = max(bytes.count / 64, 4096)
        var given = 0
        var paid = 0
        while given < bytes.count {
            var finished: Int32 = 0
            let hasRows = WebPIDecGetRGB(decoder, &finished, nil, nil, nil) != nil && finished > 0
            given = min(bytes.count, given + (hasRows ? piece : max(piece, given)))
            // Rows are charged by the share of the file consumed: where they end is known only afterwards.
            let due = rows * stride * given / bytes.count
            try meter.pay(APUS_WORK_SAMPLE, due - paid)
            paid = due
            switch WebPIUpdate(decoder, base, given) {
            case VP8_STATUS_OK: return
            case VP8_STATUS_SUSPENDED: continue
            default: throw .corrupt(.webp, "its pixels cannot be decoded")
            }
        }
        throw .corrupt(.webp, "its pixels end too early")
    }
}
