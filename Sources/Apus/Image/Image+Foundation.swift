public import Foundation

extension Image {
    /// Decodes a JPEG, PNG or WebP file in memory; see `init(decoding:name:limits:isCancelled:)`.
    ///
    /// - Parameters:
    ///   - data: the file.
    ///   - name: the image's name in errors.
    ///   - limits: the maximum size of the image.
    /// - Throws: `ApusError` with code `image`, or `tooLarge`.
    public init(decoding data: Data, name: String = "image", limits: Limits = Limits()) throws(ApusError) {
        try self.init(decoding: [UInt8](data), name: name, limits: limits)
    }

    /// Reads and decodes a file.
    ///
    /// - Parameters:
    ///   - url: of a file. Nothing is downloaded.
    ///   - limits: the maximum size of the image.
    /// - Throws: `ApusError` with code `image`, or `tooLarge`.
    public init(contentsOf url: URL, limits: Limits = Limits()) throws(ApusError) {
        try self.init(contentsOf: url, limits: limits, isCancelled: nil)
    }

    init(contentsOf url: URL, limits: Limits, isCancelled: (@Sendable () -> Bool)?) throws(ApusError) {
        guard url.isFileURL else {
            throw ApusError(
                .image, doing: "read \(url.absoluteString)", cause: "it is not a file URL",
                remedy: "Download it first, and decode its data.")
        }
        let bytes = try Image.bytes(ofFile: url.path, limits: limits)
        try self.init(decoding: bytes, name: url.path, limits: limits, isCancelled: isCancelled)
    }
}
