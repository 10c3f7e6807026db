import Foundation
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

    static let samples: [Sample] = {
        let data = (try? Data(contentsOf: Fixtures.url("formats/index.json"))) ?? Data()
        return (try? JSONDecoder().decode([Sample].self, from: data)) ?? []
    }()

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
