import Foundation
import Imaging
import Remedies
import TestSupport
import Testing

@Suite struct EncodingTests {
    private func gradient(width: Int, height: Int) -> Bitmap {
        var pixels: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width { pixels += [UInt8(x * 255 / width), UInt8(y * 255 / height), UInt8((x ^ y) & 0xFF)] }
        }
        return Bitmap(width: width, height: height, pixels: pixels)
    }

    @Test(arguments: [(1, 1), (7, 3), (64, 48), (301, 199)])
    func aPNGComesBackAsItWas(width: Int, height: Int) throws {
        let bitmap = gradient(width: width, height: height)
        #expect(try ImageDecoder.decode(ImageEncoder.encode(bitmap, as: .png)).bitmap == bitmap)
    }

    @Test func aJPEGComesBackNearly() throws {
        let bitmap = try ImageDecoder.decode(Fixtures.bytes("images/baseline.jpg")).bitmap
        let back = try ImageDecoder.decode(ImageEncoder.encode(bitmap, as: .jpeg)).bitmap
        let total = zip(bitmap.pixels, back.pixels).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
        #expect(Double(total) / Double(bitmap.pixels.count) < 2)
    }

    @Test func theNameOfTheFileChoosesTheFormat() throws {
        #expect(try ImageEncoder.format(forPath: "a/b.PNG") == .png)
        #expect(try ImageEncoder.format(forPath: "b.jpeg") == .jpeg)
        let error = #expect(throws: ImagingError.self) { try ImageEncoder.format(forPath: "b.gif") }
        #expect(error?.remedy == "Use a name that ends in .png or .jpg.")
    }
}
