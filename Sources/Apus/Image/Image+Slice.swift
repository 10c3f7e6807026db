internal import Imaging

extension Image {
    /// Decodes a file that is part of a larger buffer, such as a form's body, without copying it.
    ///
    /// Like `init(decoding:name:limits:isCancelled:)` otherwise.
    package init(
        decoding bytes: ArraySlice<UInt8>, name: String, limits: Limits, isCancelled: (@Sendable () -> Bool)? = nil
    ) throws(ApusError) {
        do {
            let decoded = try ImageDecoder.decode(
                bytes, limits: ImageLimits(bytes: limits.bytes, pixels: limits.pixels), isCancelled: isCancelled)
            bitmap = decoded.bitmap
            warning = decoded.warning
        } catch {
            throw ApusError(error, doing: "read \(name)")
        }
    }
}
