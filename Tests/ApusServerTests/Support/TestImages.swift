import Foundation
import Imaging
import NIOCore
import TestSupport

enum TestImages {
    static let farm = Fixtures.path("../../Examples/pictures/farm.jpg")

    static func bytes(_ path: String = farm) throws -> ByteBuffer {
        ByteBuffer(bytes: try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    /// A gray image of 64 x 48 pixels.
    static func small(_ format: ImageFormat = .png, width: Int = 64, height: Int = 48) throws -> ByteBuffer {
        let bitmap = Bitmap(width: width, height: height, pixels: [UInt8](repeating: 90, count: 3 * width * height))
        return ByteBuffer(bytes: try ImageEncoder.encode(bitmap, as: format))
    }

    static func base64(_ image: ByteBuffer) -> String { Data(Array(buffer: image)).base64EncodedString() }

    /// A form as browsers and curl send it.
    static func form(_ fields: [(name: String, filename: String?, content: ByteBuffer)]) -> (String, ByteBuffer) {
        var body = ByteBuffer()
        for field in fields {
            body.writeString("--xyz\r\nContent-Disposition: form-data; name=\"\(field.name)\"")
            if let filename = field.filename { body.writeString("; filename=\"\(filename)\"") }
            body.writeString("\r\n\r\n")
            body.writeImmutableBuffer(field.content)
            body.writeString("\r\n")
        }
        body.writeString("--xyz--\r\n")
        return ("multipart/form-data; boundary=xyz", body)
    }
}
