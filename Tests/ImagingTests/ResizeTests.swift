import Imaging
import Testing

@Suite struct ResizeTests {
    @Test func aFlatPictureStaysFlatAtEverySize() {
        let flat = Bitmap(width: 37, height: 23, pixels: [UInt8](repeating: 201, count: 3 * 37 * 23))
        for (width, height) in [(1, 1), (37, 23), (200, 5), (5, 200), (73, 47)] {
            let resized = flat.resized(width: width, height: height)
            #expect(resized.width == width && resized.height == height)
            #expect(resized.pixels.allSatisfy { $0 == 201 })
        }
    }

    @Test func theSameSizeIsTheSamePicture() {
        let bitmap = Bitmap(width: 2, height: 1, pixels: [1, 2, 3, 4, 5, 6])
        #expect(bitmap.resized(width: 2, height: 1) == bitmap)
    }

    @Test func onePixelFillsAnySize() {
        let dot = Bitmap(width: 1, height: 1, pixels: [9, 8, 7])
        #expect(dot.resized(width: 3, height: 2).pixels == [9, 8, 7, 9, 8, 7, 9, 8, 7, 9, 8, 7, 9, 8, 7, 9, 8, 7])
    }

    /// Large enough to run on several cores; the result of one row does not depend on the others.
    @Test func bandsOfAnAlikePictureAreAlike() {
        let row: [UInt8] = (0..<2000).flatMap { x -> [UInt8] in [UInt8(x & 0xFF), UInt8(x >> 3), 77] }
        let bitmap = Bitmap(width: 2000, height: 1500, pixels: (0..<1500).flatMap { _ in row })
        let resized = bitmap.resized(width: 641, height: 480)
        let first = resized.pixels.prefix(3 * 641)
        for y in 0..<480 { #expect(resized.pixels[(3 * 641 * y)..<(3 * 641 * (y + 1))].elementsEqual(first)) }
    }
}
