internal import CImageCodecs

extension ImageDecoder {
    static func decodePNG(
        _ bytes: UnsafeRawBufferPointer, limits: ImageLimits, isCancelled: (@Sendable () -> Bool)?
    ) throws(ImagingError) -> Bitmap {
        // Signature (8), length of the first chunk (4), its name (4), width (4), height (4): always in the same place.
        guard bytes.count >= 33 else { throw .truncated(.png) }
        guard bytes[12..<16].elementsEqual(Array("IHDR".utf8)) else { throw .corrupt(.png, "it has no header") }
        let width = Int(bytes.bigEndian(UInt32.self, at: 16))
        let height = Int(bytes.bigEndian(UInt32.self, at: 20))
        guard width > 0, height > 0, width <= 0x7FFF_FFFF, height <= 0x7FFF_FFFF else {
            throw .corrupt(.png, "its header declares \(width)x\(height)")
        }
        try limits.check(width: width, height: height)
        let meter = DecodeMeter(
            DecodeBudget(width: width, height: height, bytes: bytes.count), isCancelled: isCancelled)
        return try Bitmap(width: width, height: height) { pixels throws(ImagingError) in
            var message = CMessage()
            let base = bytes.bindMemory(to: UInt8.self).baseAddress
            let outcome = meter.withC {
                apus_png_decode(
                    base, bytes.count, UInt32(width), UInt32(height), pixels.baseAddress, $0, &message.text)
            }
            try message.check(outcome, .png, meter)
        }
    }
}

extension UnsafeRawBufferPointer {
    /// An integer at an offset that the caller has checked.
    func bigEndian<Integer: FixedWidthInteger & BitwiseCopyable>(_: Integer.Type, at offset: Int) -> Integer {
        Integer(bigEndian: loadUnaligned(fromByteOffset: offset, as: Integer.self))
    }

    func littleEndian<Integer: FixedWidthInteger & BitwiseCopyable>(_: Integer.Type, at offset: Int) -> Integer {
        Integer(littleEndian: loadUnaligned(fromByteOffset: offset, as: Integer.self))
    }
}
