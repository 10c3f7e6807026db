public import Foundation

/// Where an image comes from: an element for `Detector.detections(in:threshold:limits:inFlight:)`.
///
/// Files (`URL`), encoded images in memory (`Data`) and decoded ones (`Image`) are sources. Your own type can be one too, and
/// carry whatever you need with the result:
///
/// ```swift
/// struct Frame: ImageSource {
///     var camera: String
///     var jpeg: Data
///
///     func image(limits: Image.Limits) throws -> Image { try Image(decoding: jpeg, name: camera, limits: limits) }
/// }
/// ```
public protocol ImageSource: Sendable {
    /// Reads and decodes the image.
    ///
    /// A detector calls this on a thread that may block, for several sources at once.
    ///
    /// - Parameter limits: the maximum size of the image.
    /// - Throws: why the image can't be read. It becomes the failure of this image only.
    func image(limits: Image.Limits) async throws -> Image
}

extension Image: ImageSource {
    /// The image itself; it is already decoded, so the limits don't apply.
    public func image(limits: Limits) -> Image { self }
}

extension Data: ImageSource {
    /// Decodes a JPEG, PNG or WebP file in memory.
    ///
    /// - Throws: `ApusError` with code `image`, `tooLarge` or `cancelled`.
    public func image(limits: Image.Limits) throws(ApusError) -> Image {
        try Image(decoding: [UInt8](self), name: "image", limits: limits) { Task.isCancelled }
    }
}

extension URL: ImageSource {
    /// Reads and decodes a file. Nothing is downloaded.
    ///
    /// - Throws: `ApusError` with code `image`, `tooLarge` or `cancelled`.
    public func image(limits: Image.Limits) throws(ApusError) -> Image {
        try Image(contentsOf: self, limits: limits) { Task.isCancelled }
    }
}
