import Imaging
import TestSupport
import Testing

/// Every kind of PNG, every EXIF orientation in every container, animation and alpha, against Pillow's pixels.
@Suite struct FormatTests {
    struct Sample: Decodable, Sendable, CustomTestStringConvertible {
        var file: String
        var orientation: Int
        var width: Int
        var height: Int
        var rgb: String

        var testDescription: String { file }
    }

    static let samples: [Sample] = Fixtures.json("formats/index.json") ?? []

    @Test func thereAreSamples() { #expect(FormatTests.samples.count == 58) }

    @Test(arguments: samples)
    func pixelsEqualPillows(sample: Sample) throws {
        let image = try ImageDecoder.decode(Fixtures.bytes("formats/" + sample.file))
        #expect(image.bitmap.width == sample.width && image.bitmap.height == sample.height)
        #expect(image.orientation.rawValue == sample.orientation)
        let hex = image.bitmap.pixels.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
        #expect(hex == sample.rgb)
    }
}
