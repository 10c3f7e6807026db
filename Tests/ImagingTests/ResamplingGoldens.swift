import Foundation
import Hashing
import Imaging
import TestSupport
import Testing

/// What other libraries made of images that are computed here too (Tests/Fixtures/make_resampling.py).
struct ResamplingGoldens: Decodable, Sendable {
    /// One image resized.
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        var image: String
        /// Width and height.
        var from: [Int]
        var to: [Int]
        /// Of all samples, floats as little-endian bytes.
        var sha256: String
        /// Samples at some places, floats by their bits, to see what differs.
        var places: [Int]
        var values: [UInt32]

        var testDescription: String { "\(image) \(from[0])x\(from[1]) to \(to[0])x\(to[1])" }
    }

    struct Sweeps: Decodable, Sendable {
        var opencv: String
        var torch: String
    }

    struct Letterboxes: Decodable, Sendable {
        /// Width and height of image, canvas and resized image; x and y of the latter.
        var ultralytics: [[Int]]
        var yolox: [[Int]]
    }

    struct Letterboxed: Decodable, Sendable {
        var ultralytics: [Canvas]
        var yolox: [Canvas]

        struct Canvas: Decodable, Sendable {
            /// Width and height.
            var canvas: [Int]
            var sha256: String
        }
    }

    var opencv: [Case]
    var torch: [Case]
    var sweeps: Sweeps
    var letterboxes: Letterboxes
    var letterboxed: Letterboxed

    static let all: ResamplingGoldens? = Fixtures.json("resampling/index.json")

    static func photo() throws -> Bitmap {
        try ImageDecoder.decode(Fixtures.bytes("resampling/photo.png")).bitmap
    }

    static func bitmap(_ kind: String, width: Int, height: Int) throws -> Bitmap {
        switch kind {
        case "photo": try photo()
        case "noise": noise(width: width, height: height)
        default: gradient(width: width, height: height)
        }
    }

    static func noise(width: Int, height: Int) -> Bitmap {
        let pixels = (0..<UInt32(3 * width * height)).map { index -> UInt8 in
            var value = index &* 2_654_435_761
            value ^= value >> 15
            value = value &* 2_246_822_519
            value ^= value >> 13
            return UInt8(truncatingIfNeeded: value)
        }
        return Bitmap(width: width, height: height, pixels: pixels)
    }

    private static func gradient(width: Int, height: Int) -> Bitmap {
        var pixels: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width {
                pixels += [UInt8(255 * x / width), UInt8(255 * y / height), UInt8((x + y) % 256)]
            }
        }
        return Bitmap(width: width, height: height, pixels: pixels)
    }

    static func digest<Sample>(_ samples: [Sample]) -> String { samples.withUnsafeBytes { SHA256.digest($0) } }

    /// One digest of every small source by many targets, in the fixture's order.
    static func sweep<Sample>(_ resize: (Bitmap, Int, Int) -> [Sample]) -> String {
        var targets: [(Int, Int)] = []
        for width in 1...7 {
            for height in 1...7 { targets.append((width, height)) }
        }
        targets += [(200, 3), (3, 200), (127, 2), (1, 127), (64, 65), (130, 130)]
        let hash = SHA256()
        for width in 1...6 {
            for height in 1...6 {
                let bitmap = noise(width: width, height: height)
                for target in targets {
                    resize(bitmap, target.0, target.1).withUnsafeBytes { hash.update($0) }
                }
            }
        }
        return hash.finish()
    }
}
