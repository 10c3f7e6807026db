import Foundation
import Imaging
import TestSupport
import Testing

/// What Pillow made of the same files: decoded, turned upright, converted to RGB, resized.
@Suite struct GoldenImageTests {
    struct Golden: Decodable, Sendable, CustomTestStringConvertible {
        var file: String
        var orientation: Int
        var decoded_size: [Int]
        var resized_size: [Int]

        var testDescription: String { file }
    }

    static let goldens: [Golden] = {
        let data = (try? Data(contentsOf: Fixtures.url("images/index.json"))) ?? Data()
        return (try? JSONDecoder().decode([Golden].self, from: data)) ?? []
    }()

    @Test func thereAreGoldens() { #expect(GoldenImageTests.goldens.count == 14) }

    @Test(arguments: goldens)
    func decodedAndResizedPixelsEqualPillows(golden: Golden) throws {
        let image = try ImageDecoder.decode(Fixtures.bytes("images/" + golden.file))
        #expect([image.bitmap.width, image.bitmap.height] == golden.decoded_size)
        #expect(image.orientation.rawValue == golden.orientation)
        #expect(image.warning == nil)
        let resized = image.bitmap.resized(width: golden.resized_size[0], height: golden.resized_size[1])
        let expected = try ImageDecoder.decode(Fixtures.bytes("images/\(golden.file).resized.png")).bitmap
        #expect(resized.width == expected.width && resized.height == expected.height)
        let different = zip(resized.pixels, expected.pixels).count { $0 != $1 }
        #expect(different == 0)
    }
}
