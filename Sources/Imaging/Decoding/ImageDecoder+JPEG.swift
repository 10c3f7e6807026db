internal import CImageCodecs

extension ImageDecoder {
    static func decodeJPEG(
        _ bytes: UnsafeRawBufferPointer, limits: ImageLimits, isCancelled: (@Sendable () -> Bool)?
    ) throws(ImagingError) -> (Bitmap, warning: String?) {
        let base = bytes.bindMemory(to: UInt8.self).baseAddress
        var header = apus_jpeg_header()
        var message = CMessage()
        try message.check(apus_jpeg_read_header(base, bytes.count, &header, &message.text), .jpeg)
        let (width, height) = (Int(header.width), Int(header.height))
        try limits.check(width: width, height: height)

        let meter = DecodeMeter(
            DecodeBudget(width: width, height: height, bytes: bytes.count, isArithmetic: header.is_arithmetic),
            isCancelled: isCancelled)
        func decode(into target: UnsafeMutableBufferPointer<UInt8>) throws(ImagingError) {
            let outcome = meter.withC {
                apus_jpeg_decode(base, bytes.count, header, target.baseAddress, $0, &message.text)
            }
            try message.check(outcome, .jpeg, meter)
        }
        let bitmap: Bitmap
        if header.channels == 4 {
            let cmyk = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 4 * width * height)
            defer { cmyk.deallocate() }
            try decode(into: cmyk)
            bitmap = Bitmap(width: width, height: height) { rgb in convertCMYK(UnsafeBufferPointer(cmyk), rgb) }
        } else {
            bitmap = try Bitmap(width: width, height: height, fill: decode)
        }
        let warning = message.string
        return (bitmap, warning.isEmpty ? nil : warning)
    }

    /// CMYK in JPEG files is inverted (Adobe's convention, which all programs follow). The arithmetic is Pillow's (`cmyk2rgb` in
    /// `libImaging/Convert.c`): white minus color, times white minus black, over 255, rounded.
    private static func convertCMYK(_ cmyk: UnsafeBufferPointer<UInt8>, _ rgb: UnsafeMutableBufferPointer<UInt8>) {
        for pixel in 0..<(cmyk.count / 4) {
            let white = Int(cmyk[4 * pixel + 3])
            for channel in 0..<3 {
                let product = (255 - Int(cmyk[4 * pixel + channel])) * white + 128
                let ink = ((product >> 8) + product) >> 8
                rgb[3 * pixel + channel] = UInt8(clamping: white - ink)
            }
        }
    }
}

/// The message of a C decoder.
struct CMessage {
    var text = [CChar](repeating: 0, count: Int(APUS_IMAGE_MESSAGE_SIZE))

    var string: String { text.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" } }

    /// Throws unless the image is decoded.
    func check(_ outcome: apus_outcome, _ format: ImageFormat, _ meter: DecodeMeter? = nil) throws(ImagingError) {
        switch outcome {
        case APUS_DECODED: return
        case APUS_TRUNCATED: throw .truncated(format)
        case APUS_STOPPED: throw meter?.failure ?? .cancelled
        default: throw .corrupt(format, string)
        }
    }
}
