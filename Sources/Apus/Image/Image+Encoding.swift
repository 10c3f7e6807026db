public import Foundation
package import Imaging
internal import Remedies

extension Image {
    /// A format that images are written in.
    public struct Format: Sendable, Hashable {
        package let format: ImageFormat

        /// Lossless.
        public static let png = Format(format: .png)
        /// Quality 92, without chroma subsampling, which would blur thin colored lines.
        public static let jpeg = Format(format: .jpeg)
    }

    /// The image encoded as a file.
    ///
    /// - Throws: `ApusError` with code `image` if the format can't hold it: a JPEG is limited to 65,500 pixels per side.
    public func encoded(as format: Format) throws(ApusError) -> Data {
        do {
            return Data(try ImageEncoder.encode(bitmap, as: format.format))
        } catch {
            throw ApusError(error, doing: "encode the image")
        }
    }

    /// Writes the image atomically to a file whose name ends in .png, .jpg or .jpeg.
    ///
    /// - Throws: `ApusError` with code `image` for another name or an image that the format can't hold, `option` if the file can't
    ///   be written.
    public func write(to url: URL) throws(ApusError) {
        let format: Format
        do {
            format = Format(format: try ImageEncoder.format(forPath: url.path))
        } catch {
            throw ApusError(error, doing: "write \(url.path)")
        }
        let data = try encoded(as: format)
        do {
            try data.write(to: url, options: .atomic)
        } catch {
            throw ApusError(
                .option, doing: "write \(url.path)", cause: error.localizedDescription,
                remedy: "Make sure that its folder exists and that you may write there.", underlying: error)
        }
    }
}
