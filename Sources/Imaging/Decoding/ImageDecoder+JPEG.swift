internal import CImageCodecs

extension ImageDecoder {
    static func decodeJPEG(
        _ bytes: UnsafeRawBufferPointer, limits: ImageLimits
    ) throws(ImagingError) -> (Bitmap, warning: String?) {
        guard let handle = tjInitDecompress() else { throw .corrupt(.jpeg, "out of memory") }
        defer { tjDestroy(handle) }
        let base = bytes.bindMemory(to: UInt8.self).baseAddress
        let count = UInt(bytes.count)
        var width: Int32 = 0
        var height: Int32 = 0
        var subsampling: Int32 = 0
        var colorspace: Int32 = 0
        guard tjDecompressHeader3(handle, base, count, &width, &height, &subsampling, &colorspace) == 0,
            width > 0, height > 0
        else {
            let reason = message(handle)
            throw reason.hasPrefix(prematureEnd) ? .truncated(.jpeg) : .corrupt(.jpeg, reason)
        }
        try limits.check(width: Int(width), height: Int(height))

        // Exact DCT and smooth chroma, as libjpeg does by default; a cap on scans, as thousands of them in a small
        // progressive file would take minutes.
        let flags = TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS
        let isCMYK = colorspace == Int32(TJCS_CMYK.rawValue) || colorspace == Int32(TJCS_YCCK.rawValue)
        var warning: String?
        func decompress(
            into target: UnsafeMutablePointer<UInt8>?, _ format: TJPF
        ) throws(ImagingError) {
            guard tjDecompress2(handle, base, count, target, width, 0, height, Int32(format.rawValue), flags) != 0
            else {
                return
            }
            let reason = message(handle)
            if reason.hasPrefix(prematureEnd) { throw .truncated(.jpeg) }
            guard tjGetErrorCode(handle) == Int32(TJERR_WARNING.rawValue) else { throw .corrupt(.jpeg, reason) }
            warning = reason
        }
        if isCMYK {
            let cmyk = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 4 * Int(width) * Int(height))
            defer { cmyk.deallocate() }
            try decompress(into: cmyk.baseAddress, TJPF_CMYK)
            let bitmap = Bitmap(width: Int(width), height: Int(height)) { rgb in
                convertCMYK(UnsafeBufferPointer(cmyk), rgb)
            }
            return (bitmap, warning)
        }
        let bitmap = try Bitmap(width: Int(width), height: Int(height)) { pixels throws(ImagingError) in
            try decompress(into: pixels.baseAddress, TJPF_RGB)
        }
        return (bitmap, warning)
    }

    private static let prematureEnd = "Premature end of JPEG file"

    private static func message(_ handle: tjhandle) -> String {
        tjGetErrorStr2(handle).map { String(cString: $0) } ?? "unknown error"
    }

    /// CMYK in JPEG files is inverted (Adobe's convention, which everybody follows). The arithmetic is Pillow's
    /// (`cmyk2rgb` in `libImaging/Convert.c`): white minus colour, times white minus black, over 255, rounded.
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
