import Imaging
import TestSupport
import Testing

/// What Pillow made of the same files: decoded, turned upright, converted to RGB, resized.
@Suite struct GoldenImageTests {
    struct Golden: Decodable, Sendable, CustomTestStringConvertible {
        var file: String
        var orientation: Int
        var decodedSize: [Int]
        var resizedSize: [Int]

        var testDescription: String { file }
    }

    static let goldens: [Golden] = Fixtures.json("images/index.json") ?? []

    @Test func thereAreGoldens() { #expect(GoldenImageTests.goldens.count == 14) }

    @Test(arguments: goldens)
    func decodedAndResizedPixelsEqualPillows(golden: Golden) throws {
        let image = try ImageDecoder.decode(Fixtures.bytes("images/" + golden.file))
        #expect([image.bitmap.width, image.bitmap.height] == golden.decodedSize)
        #expect(image.orientation.rawValue == golden.orientation)
        #expect(image.warning == nil)
        let resized = image.bitmap.resized(width: golden.resizedSize[0], height: golden.resizedSize[1])
        let expected = try ImageDecoder.decode(Fixtures.bytes("images/\(golden.file).resized.png")).bitmap
        #expect(resized.width == expected.width && resized.height == expected.height)
        let different = zip(resized.pixels, expected.pixels).count { $0 != $1 }
        #expect(different == 0)
    }
}
