import Engine
import Testing

@testable import Imaging

/// What OpenCV and torchvision made of the same images, bit for bit; with and without vector instructions.
@Suite struct InterpolationTests {
    static let openCV = ResamplingGoldens.all?.opencv ?? []
    static let torch = ResamplingGoldens.all?.torch ?? []

    @Test func thereAreGoldens() {
        #expect(InterpolationTests.openCV.count == 44)
        #expect(InterpolationTests.torch.count == 44)
    }

    @Test(arguments: openCV)
    func openCVsPixels(golden: ResamplingGoldens.Case) throws {
        let source = try ResamplingGoldens.bitmap(golden.image, width: golden.from[0], height: golden.from[1])
        #expect([source.width, source.height] == golden.from)
        for isVectorized in [true, false] {
            let resized = source.openCVResized(
                width: golden.to[0], height: golden.to[1], isVectorized: isVectorized)
            #expect([resized.width, resized.height] == golden.to)
            #expect(golden.places.map { UInt32(resized.pixels[$0]) } == golden.values)
            #expect(ResamplingGoldens.digest(resized.pixels) == golden.sha256)
        }
    }

    @Test(arguments: torch)
    func torchsSamples(golden: ResamplingGoldens.Case) throws {
        let source = try ResamplingGoldens.bitmap(golden.image, width: golden.from[0], height: golden.from[1])
        for isVectorized in [true, false] {
            let resized = source.torchResized(width: golden.to[0], height: golden.to[1], isVectorized: isVectorized)
            #expect([resized.width, resized.height] == golden.to)
            #expect(golden.places.map { resized.samples[$0].bitPattern } == golden.values)
            #expect(ResamplingGoldens.digest(resized.samples) == golden.sha256)
        }
    }

    @Test(arguments: [true, false])
    func everySmallSize(isVectorized: Bool) throws {
        let sweeps = try #require(ResamplingGoldens.all?.sweeps)
        let openCV = ResamplingGoldens.sweep {
            $0.openCVResized(width: $1, height: $2, isVectorized: isVectorized).pixels
        }
        #expect(openCV == sweeps.opencv)
        let torch = ResamplingGoldens.sweep {
            $0.torchResized(width: $1, height: $2, isVectorized: isVectorized).samples
        }
        #expect(torch == sweeps.torch)
    }

    @Test func everyInterpolationIsItsOwn() {
        let bitmap = ResamplingGoldens.noise(width: 40, height: 30)
        let pillow = bitmap.resized(width: 17, height: 11, interpolation: .pillow)
        let openCV = bitmap.resized(width: 17, height: 11, interpolation: .openCV)
        #expect(pillow == bitmap.resized(width: 17, height: 11))
        #expect(openCV == bitmap.openCVResized(width: 17, height: 11))
        #expect(pillow != openCV)
        #expect(bitmap.resized(width: 40, height: 30, interpolation: .openCV) == bitmap)
    }

    /// Division by 255 is exact to the last bit, by vectors too: a bitmap of every value, in each channel.
    @Test(arguments: [true, false])
    func anImageOfTheSameSizeIsOnlyScaled(isVectorized: Bool) {
        let pixels = (0..<(3 * 256)).map { UInt8($0 / 3) }
        let bitmap = Bitmap(width: 64, height: 4, pixels: pixels)
        let scaled = bitmap.torchResized(width: 64, height: 4, isVectorized: isVectorized)
        #expect(scaled.samples == pixels.map { Float($0) / 255 })
    }
}

/// Sizes at random, against the definition in doubles; the bounds are those of the roundings.
@Suite struct InterpolationAccuracyTests {
    /// Bilinear interpolation at pixel centers, from 0 to 255.
    private func exact(_ source: Bitmap, _ width: Int, _ height: Int) -> [Double] {
        func neighbors(_ index: Int, _ size: Int, _ target: Int) -> (Int, Int, Double) {
            let position = max(0, (Double(index) + 0.5) * Double(size) / Double(target) - 0.5)
            let first = min(Int(position), size - 1)
            return (first, min(first + 1, size - 1), position - Double(first))
        }
        var values: [Double] = []
        for y in 0..<height {
            let (top, bottom, down) = neighbors(y, source.height, height)
            for x in 0..<width {
                let (left, right, along) = neighbors(x, source.width, width)
                for channel in 0..<3 {
                    func value(_ x: Int, _ y: Int) -> Double {
                        Double(source.pixels[3 * (y * source.width + x) + channel])
                    }
                    let upper = value(left, top) * (1 - along) + value(right, top) * along
                    let lower = value(left, bottom) * (1 - along) + value(right, bottom) * along
                    values.append(upper * (1 - down) + lower * down)
                }
            }
        }
        return values
    }

    @Test(arguments: 0..<24)
    func resultsAreCloseToTheDefinition(seed: Int) {
        var random = SplitMix(state: UInt64(seed))
        let sizes = (0..<4).map { _ in Int.random(in: 1...(seed % 3 == 0 ? 300 : 40), using: &random) }
        let source = ResamplingGoldens.noise(width: sizes[0], height: sizes[1])
        let definition = exact(source, sizes[2], sizes[3])
        // Weights are off by 2^-12 each; truncations take up to half a level before the last rounding, which takes half.
        let openCV = source.openCVResized(width: sizes[2], height: sizes[3])
        #expect(zip(openCV.pixels, definition).allSatisfy { abs(Double($0) - $1) < 1.2 }, "\(sizes)")
        // Positions below 300 are off by 2^-15 at most, of a slope of up to 1 in each direction.
        let torch = source.torchResized(width: sizes[2], height: sizes[3])
        #expect(zip(torch.samples, definition).allSatisfy { abs(Double($0) - $1 / 255) < 1e-4 }, "\(sizes)")
        #expect(openCV == source.openCVResized(width: sizes[2], height: sizes[3], isVectorized: false), "\(sizes)")
        #expect(torch == source.torchResized(width: sizes[2], height: sizes[3], isVectorized: false), "\(sizes)")
    }

    @Test(arguments: [1, 15, 16, 31, 32, 33, 255, 256, 1000])
    func bandsCoverEveryRowOnce(height: Int) {
        for multiplications in [0, 1 << 40] {
            let bands = Locked<[Range<Int>]>([])
            Bands.forEach(height: height, multiplications: multiplications) { band in bands.withLock { $0.append(band) }
            }
            let found = bands.withLock { $0 }.sorted { $0.lowerBound < $1.lowerBound }
            #expect(found.flatMap { Array($0) } == Array(0..<height))
            #expect(found.count == (multiplications == 0 ? 1 : max(1, min(16, height / 16))))
        }
    }
}

/// The same numbers in every run (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators).
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
