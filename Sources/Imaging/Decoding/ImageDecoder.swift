internal import Remedies

/// The formats that Apus reads, recognized by their first bytes, never by a file name.
package enum ImageFormat: String, Sendable, CaseIterable {
    case jpeg = "JPEG"
    case png = "PNG"
    case webp = "WebP"

    package init?(_ bytes: UnsafeRawBufferPointer) {
        if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            self = .png
        } else if bytes.count >= 12, bytes.starts(with: Array("RIFF".utf8)),
            bytes[8..<12].elementsEqual(Array("WEBP".utf8))
        {
            self = .webp
        } else {
            return nil
        }
    }
}

/// A decoded image, rotated upright.
package struct DecodedImage: Sendable {
    package var bitmap: Bitmap
    package var format: ImageFormat
    /// The EXIF orientation that was applied.
    package var orientation: Orientation
    /// A defect of the file that the decoder could work around.
    package var warning: String?
}

package enum ImageDecoder {
    /// Decodes a JPEG, PNG or WebP file to upright RGB; alpha is dropped, not blended.
    ///
    /// Pixels are identical to Pillow's for the same file (`Image.open(f)`, `ImageOps.exif_transpose`, `convert("RGB")`) with the
    /// same libraries.
    ///
    /// - Parameter isCancelled: polled while decoding, on the calling thread; decoding stops once it returns true.
    /// - Throws: also if the image exceeds the `DecodeBudget` of its size, code `tooCostly`, or is cancelled, code `cancelled`.
    package static func decode(
        _ bytes: [UInt8], limits: ImageLimits = ImageLimits(), isCancelled: (@Sendable () -> Bool)? = nil
    ) throws(ImagingError) -> DecodedImage {
        try decode(bytes[...], limits: limits, isCancelled: isCancelled)
    }

    /// Decodes a file that is part of a larger buffer, such as a form's body, without copying it.
    package static func decode(
        _ bytes: ArraySlice<UInt8>, limits: ImageLimits = ImageLimits(), isCancelled: (@Sendable () -> Bool)? = nil
    ) throws(ImagingError) -> DecodedImage {
        guard !bytes.isEmpty else {
            throw ImagingError(
                .empty, "the file is empty", remedy: "Its download or copy may be incomplete: download it again.")
        }
        try limits.check(bytes: bytes.count)
        return try bytes.withUnsafeBufferPointer { elements throws(ImagingError) in
            let buffer = UnsafeRawBufferPointer(elements)
            guard let format = ImageFormat(buffer) else {
                throw ImagingError(
                    .unknownFormat, "it is not a JPEG, PNG or WebP image (it begins with \(preview(of: buffer)))",
                    remedy: "Apus reads JPEG, PNG and WebP. Convert the image to one of them.")
            }
            if isCancelled?() == true { throw .cancelled }
            let bitmap: Bitmap
            var warning: String?
            switch format {
            case .jpeg: (bitmap, warning) = try decodeJPEG(buffer, limits: limits, isCancelled: isCancelled)
            case .png: bitmap = try decodePNG(buffer, limits: limits, isCancelled: isCancelled)
            case .webp: bitmap = try decodeWebP(buffer, limits: limits, isCancelled: isCancelled)
            }
            if isCancelled?() == true { throw .cancelled }
            let orientation = Orientation(of: format, in: buffer)
            return DecodedImage(
                bitmap: bitmap.turned(orientation), format: format, orientation: orientation, warning: warning)
        }
    }

    private static func preview(of bytes: UnsafeRawBufferPointer) -> String {
        let first = bytes.prefix(12)
        if first.allSatisfy({ (0x20..<0x7F).contains($0) || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }) {
            let text = String(decoding: first, as: UTF8.self)
            return "the text \"" + text.split(whereSeparator: \.isNewline).joined(separator: " ") + "\""
        }
        return first.prefix(4).map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return digits.count == 1 ? "0" + digits : digits
        }.joined(separator: " ")
    }
}

extension ImagingError {
    static func truncated(_ format: ImageFormat) -> ImagingError {
        ImagingError(
            .truncated, "the \(format.rawValue) file is truncated",
            remedy: "Its download or copy may be incomplete: download it again.")
    }

    static func corrupt(_ format: ImageFormat, _ reason: String) -> ImagingError {
        ImagingError(
            .corrupt, "the \(format.rawValue) file is damaged (\(reason))",
            remedy: "Download or copy it again, or open it in another program and save it again.")
    }
}
