import Apus
import Testing

/// Sizes as `get_size_with_aspect_ratio` of the reference implementation gives them.
@Suite struct ShortestEdgeTests {
    private func size(_ width: Int, _ height: Int, _ rule: ShortestEdge = ShortestEdge(shortest: 800, longest: 1333))
        -> [Int]
    {
        let size = rule.size(PixelSize(width: width, height: height))
        return [size.width, size.height]
    }

    @Test func theShortSideGetsItsSize() {
        #expect(size(640, 480) == [1066, 800])
        #expect(size(480, 640) == [800, 1066])
        #expect(size(100, 100) == [800, 800])
        #expect(size(4000, 3000) == [1066, 800])
    }

    @Test func theLongSideLimits() {
        #expect(size(2000, 500) == [1332, 333])  // 1333 / 4 = 333.25
        #expect(size(500, 2000) == [333, 1332])
    }

    @Test func halvesRoundToEven() {
        // 427 * 100 / 200 = 213.5 -> 214, 425 / 2 = 212.5 -> 212
        #expect(size(200, 100, ShortestEdge(shortest: 256, longest: 427)) == [428, 214])
        #expect(size(200, 100, ShortestEdge(shortest: 256, longest: 425)) == [424, 212])
    }

    @Test func aPictureOfTheRightSizeStays() {
        #expect(size(1066, 800) == [1066, 800])
        #expect(size(800, 1200) == [800, 1200])
    }

    @Test func aNeedleKeepsOnePixel() {
        #expect(size(10_000, 1) == [1333, 1])
        #expect(size(1, 10_000) == [1, 1333])
    }
}
