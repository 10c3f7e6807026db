/// How to rotate a stored image upright; raw values are those of EXIF tag 274.
package enum Orientation: Int, Sendable, CaseIterable {
    case upright = 1
    case mirrored = 2
    case upsideDown = 3
    case upsideDownMirrored = 4
    case leftMirrored = 5
    case left = 6
    case rightMirrored = 7
    case right = 8

    var swapsSides: Bool { rawValue >= 5 }

    /// Reads it from the file's EXIF data; upright if it is missing or invalid.
    init(of format: ImageFormat, in bytes: UnsafeRawBufferPointer) {
        let exif =
            switch format {
            case .jpeg: Orientation.exifInJPEG(bytes)
            case .png: Orientation.exifInPNG(bytes)
            case .webp: Orientation.exifInWebP(bytes)
            }
        self = exif.flatMap { Orientation(exif: UnsafeRawBufferPointer(rebasing: $0)) } ?? .upright
    }

    /// EXIF data is a TIFF file: byte order, 42, offset of the first directory; entries of 12 bytes.
    private init?(exif: UnsafeRawBufferPointer) {
        guard exif.count >= 8 else { return nil }
        let isLittle = exif[0] == 0x49 && exif[1] == 0x49
        guard isLittle || (exif[0] == 0x4D && exif[1] == 0x4D) else { return nil }
        func short(_ offset: Int) -> Int {
            Int(isLittle ? exif.littleEndian(UInt16.self, at: offset) : exif.bigEndian(UInt16.self, at: offset))
        }
        func long(_ offset: Int) -> Int {
            Int(isLittle ? exif.littleEndian(UInt32.self, at: offset) : exif.bigEndian(UInt32.self, at: offset))
        }
        let directory = long(4)
        guard short(2) == 42, directory >= 8, directory + 2 <= exif.count else { return nil }
        for entry in 0..<short(directory) {
            let offset = directory + 2 + 12 * entry
            guard offset + 12 <= exif.count else { return nil }
            if short(offset) == 274 {
                self.init(rawValue: short(offset + 8))
                return
            }
        }
        return nil
    }

    /// The APP1 segment that begins with "Exif", before the first scan.
    private static func exifInJPEG(_ bytes: UnsafeRawBufferPointer) -> Slice<UnsafeRawBufferPointer>? {
        var offset = 2
        while offset + 4 <= bytes.count {
            guard bytes[offset] == 0xFF else { return nil }
            let marker = bytes[offset + 1]
            if marker == 0xFF {  // fill byte
                offset += 1
                continue
            }
            if marker == 0xDA || marker == 0xD9 { return nil }
            let end = offset + 2 + Int(bytes.bigEndian(UInt16.self, at: offset + 2))
            guard end <= bytes.count, end >= offset + 4 else { return nil }
            let body = bytes[(offset + 4)..<end]
            if marker == 0xE1, body.starts(with: Array("Exif\0\0".utf8)) { return body.dropFirst(6) }
            offset = end
        }
        return nil
    }

    private static func exifInPNG(_ bytes: UnsafeRawBufferPointer) -> Slice<UnsafeRawBufferPointer>? {
        var offset = 8
        while offset + 12 <= bytes.count {
            let end = offset + 8 + Int(bytes.bigEndian(UInt32.self, at: offset))
            guard end <= bytes.count else { return nil }
            if bytes[(offset + 4)..<(offset + 8)].elementsEqual(Array("eXIf".utf8)) { return bytes[(offset + 8)..<end] }
            offset = end + 4
        }
        return nil
    }

    private static func exifInWebP(_ bytes: UnsafeRawBufferPointer) -> Slice<UnsafeRawBufferPointer>? {
        var offset = 12
        while offset + 8 <= bytes.count {
            let size = Int(bytes.littleEndian(UInt32.self, at: offset + 4))
            guard offset + 8 + size <= bytes.count else { return nil }
            if bytes[offset..<(offset + 4)].elementsEqual(Array("EXIF".utf8)) {
                let body = bytes[(offset + 8)..<(offset + 8 + size)]
                return body.starts(with: Array("Exif\0\0".utf8)) ? body.dropFirst(6) : body
            }
            offset += 8 + size + size % 2
        }
        return nil
    }
}

extension Bitmap {
    /// The image, rotated upright.
    func turned(_ orientation: Orientation) -> Bitmap {
        if orientation == .upright { return self }
        let (sourceWidth, sourceHeight) = (width, height)
        let targetWidth = orientation.swapsSides ? height : width
        let targetHeight = orientation.swapsSides ? width : height
        // The source pixel of target (0, 0), and the source steps per target column and row.
        let (right, bottom) = (sourceWidth - 1, (sourceHeight - 1) * sourceWidth)
        let (start, column, row) =
            switch orientation {
            case .upright: (0, 1, sourceWidth)
            case .mirrored: (right, -1, sourceWidth)
            case .upsideDown: (right + bottom, -1, -sourceWidth)
            case .upsideDownMirrored: (bottom, 1, -sourceWidth)
            case .leftMirrored: (0, sourceWidth, 1)
            case .left: (bottom, -sourceWidth, 1)
            case .rightMirrored: (right + bottom, -sourceWidth, -1)
            case .right: (right, sourceWidth, -1)
            }
        return pixels.withUnsafeBufferPointer { source in
            Bitmap(width: targetWidth, height: targetHeight) { target in
                var write = 0
                for y in 0..<targetHeight {
                    var read = 3 * (start + y * row)
                    for _ in 0..<targetWidth {
                        target[write] = source[read]
                        target[write + 1] = source[read + 1]
                        target[write + 2] = source[read + 2]
                        write += 3
                        read += 3 * column
                    }
                }
            }
        }
    }
}
