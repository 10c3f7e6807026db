package import Foundation
package import Imaging

/// A picture to look for objects in: RGB, upright.
public struct Image: Sendable {
    /// What a picture may be at most. Checked before memory is set aside for it.
    public struct Limits: Sendable, Hashable {
        /// Bytes of the encoded file.
        public var bytes: Int
        /// Width times height.
        public var pixels: Int

        /// 100 MB and 100 megapixels unless given.
        public init(bytes: Int = 100_000_000, pixels: Int = 100_000_000) {
            self.bytes = bytes
            self.pixels = pixels
        }
    }

    package let bitmap: Bitmap
    /// What the decoder found wrong with the file, but could work around.
    public let warning: String?

    /// Pixels.
    public var width: Int { bitmap.width }
    /// Pixels.
    public var height: Int { bitmap.height }

    /// Decodes a JPEG, PNG or WebP file, turns it upright as its EXIF orientation says, and drops alpha.
    ///
    /// - Parameters:
    ///   - bytes: the file.
    ///   - name: what errors call the picture.
    /// - Throws: `ApusError` with code `image`.
    public init(decoding bytes: [UInt8], name: String = "picture", limits: Limits = Limits()) throws(ApusError) {
        do {
            let decoded = try ImageDecoder.decode(
                bytes, limits: ImageLimits(bytes: limits.bytes, pixels: limits.pixels))
            bitmap = decoded.bitmap
            warning = decoded.warning
        } catch {
            throw ApusError(error, doing: "read \(name)")
        }
    }

    /// Reads and decodes a file.
    public init(contentsOfFile path: String, limits: Limits = Limits()) throws(ApusError) {
        try self.init(decoding: Image.bytes(ofFile: path, limits: limits), name: path, limits: limits)
    }

    /// Takes pixels as they are: 3 * width * height bytes, RGB, rows from the top.
    ///
    /// - Throws: `ApusError` with code `image` if the count of bytes is another.
    public init(width: Int, height: Int, rgb: [UInt8]) throws(ApusError) {
        let (area, overflow) = width.multipliedReportingOverflow(by: height)
        guard width > 0, height > 0, !overflow, area <= Int.max / 3, rgb.count == 3 * area else {
            throw ApusError(
                .image, doing: "make a picture of \(width)x\(height)",
                cause: "it needs 3 bytes for each of its pixels; \(rgb.count) were given")
        }
        bitmap = Bitmap(width: width, height: height, pixels: rgb)
        warning = nil
    }

    package init(_ bitmap: Bitmap) {
        self.bitmap = bitmap
        warning = nil
    }

    /// Reads to the end, unless that is beyond the limit: a file may grow, and a pipe has no size beforehand.
    package static func bytes(of file: FileHandle, limits: Limits) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty {
            bytes += piece
            try ImageLimits(bytes: limits.bytes, pixels: limits.pixels).check(bytes: bytes.count)
        }
        return bytes
    }

    /// Reads a file whole, unless it is larger than the limit.
    package static func bytes(ofFile path: String, limits: Limits) throws(ApusError) -> [UInt8] {
        func failure(_ cause: String, _ remedy: String) -> ApusError {
            ApusError(.image, doing: "read \(path)", cause: cause, remedy: remedy)
        }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw failure("there is no such file", "Check the path.")
        }
        guard !isFolder.boolValue else { throw failure("it is a folder", "Name a picture in it.") }
        do {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? file.close() }
            return try bytes(of: file, limits: limits)
        } catch let error as ImagingError {
            throw ApusError(error, doing: "read \(path)")
        } catch {
            throw failure("you may not read it", "Change its permissions: chmod +r \(path)")
        }
    }
}
