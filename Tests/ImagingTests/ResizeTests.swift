import Testing

@testable import Imaging

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

    /// One axis after the other over the whole picture, as the definition says.
    private func plainly(_ source: Bitmap, _ width: Int, _ height: Int) -> [UInt8] {
        func mix(_ axis: BilinearCoefficients, _ target: Int, _ value: (Int) -> UInt8) -> UInt8 {
            var sum: Int32 = 1 << Int32(BilinearCoefficients.precision - 1)
            for tap in 0..<axis.count[target] {
                sum += Int32(value(axis.first[target] + tap)) * axis.weight(target, tap)
            }
            return UInt8(min(255, sum >> Int32(BilinearCoefficients.precision)))
        }
        let columns = BilinearCoefficients(from: source.width, to: width)
        let rows = BilinearCoefficients(from: source.height, to: height)
        var wide = [UInt8](repeating: 0, count: 3 * width * source.height)
        for index in wide.indices {
            let (y, x, channel) = (index / (3 * width), index / 3 % width, index % 3)
            wide[index] = mix(columns, x) { source.pixels[3 * (y * source.width + $0) + channel] }
        }
        return (0..<(3 * width * height)).map { index in
            mix(rows, index / (3 * width)) { wide[$0 * 3 * width + index % (3 * width)] }
        }
    }

    /// In one piece, in bands on several cores, and so long that filtered rows are not kept; at the ends of rows, where vectors
    /// do not fit; with and without vector instructions.
    @Test(arguments: [
        ([60, 40], [31, 57]), ([900, 700], [300, 200]), ([2, 60_000], [64, 3]), ([33, 9], [5, 9]), ([7, 50], [7, 3]),
        ([5, 3], [1, 1]), ([4, 4], [3, 2]), ([1000, 3], [6, 2]), ([3, 2], [40, 31]), ([640, 480], [341, 256]),
    ])
    func everyWayGivesWhatThePlainDefinitionGives(from: [Int], to: [Int]) {
        var state: UInt32 = 1
        let pixels = (0..<(3 * from[0] * from[1])).map { _ -> UInt8 in
            state = state &* 1_664_525 &+ 1_013_904_223
            // Many of the greatest, whose sums come closest to what the types hold.
            return state >> 24 < 64 ? 255 : UInt8(state >> 24)
        }
        let source = Bitmap(width: from[0], height: from[1], pixels: pixels)
        let plain = plainly(source, to[0], to[1])
        #expect(source.resized(width: to[0], height: to[1]).pixels == plain)
        #expect(source.resized(width: to[0], height: to[1], isVectorized: false).pixels == plain)
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
