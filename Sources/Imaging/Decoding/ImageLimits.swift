internal import Remedies

/// The maximum size of an image, checked before memory is allocated for it.
package struct ImageLimits: Sendable, Equatable {
    /// Bytes of the encoded file.
    package var bytes = 100_000_000
    /// Width times height.
    package var pixels = 100_000_000

    package init(bytes: Int = 100_000_000, pixels: Int = 100_000_000) {
        self.bytes = bytes
        self.pixels = pixels
    }

    /// The absolute limit of pixels, whatever the setting: 3 GB of memory.
    package static let mostPixels = 1_000_000_000

    func check(bytes count: Int) throws(ImagingError) {
        if count > bytes { throw .tooManyBytes(limit: bytes) }
    }

    func check(width: Int, height: Int) throws(ImagingError) {
        let (count, overflow) = width.multipliedReportingOverflow(by: height)
        let limit = min(pixels, ImageLimits.mostPixels)
        if overflow || count > limit {
            throw ImagingError(
                .tooManyPixels,
                "it is \(width)x\(height), \(overflow ? "too many" : "\(count)") pixels; the limit is \(limit)",
                remedy: "Use a smaller image, or raise the limit: \(setting: .maxPixels).")
        }
    }
}

extension ImagingError {
    package static func tooManyBytes(limit: Int) -> ImagingError {
        ImagingError(
            .tooManyBytes, "it exceeds the limit of \(limit) bytes",
            remedy: "Use a smaller file, or raise the limit: \(setting: .maxBytes).")
    }
}
