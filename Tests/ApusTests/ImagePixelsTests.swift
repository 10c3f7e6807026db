import Apus
import Foundation
import Imaging
import Remedies
import TestSupport
import Testing

@Suite struct ImagePixelsTests {
    private func image(
        _ bytes: [UInt8], _ layout: Image.PixelLayout, width: Int = 2, height: Int = 2, bytesPerRow: Int? = nil,
        limits: Image.Limits = Image.Limits()
    ) throws -> Image {
        try bytes.withUnsafeBytes { bytes in
            try Image(
                width: width, height: height, pixels: bytes, layout: layout, bytesPerRow: bytesPerRow, limits: limits)
        }
    }

    private let rgb: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]

    @Test func everyLayoutGivesTheSameImage() throws {
        let layouts: [(Image.PixelLayout, [UInt8])] = [
            (.rgb, rgb), (.bgr, [3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10]),
            (.rgba, [1, 2, 3, 0, 4, 5, 6, 9, 7, 8, 9, 0, 10, 11, 12, 255]),
            (.bgra, [3, 2, 1, 0, 6, 5, 4, 9, 9, 8, 7, 0, 12, 11, 10, 255]),
        ]
        for (layout, bytes) in layouts {
            #expect(try image(bytes, layout).bitmap.pixels == rgb)
        }
    }

    @Test func rowsMayHavePaddingButNotTheLast() throws {
        let padded = Array(rgb[..<6]) + [99, 99] + Array(rgb[6...])
        #expect(try image(padded, .rgb, bytesPerRow: 8).bitmap.pixels == rgb)
    }

    @Test func framesOfVideoEqualOpenCVs() throws {
        struct Golden: Decodable {
            struct Frame: Decodable { var width, height: Int, nv12, rgb: Data }
            var frames: [Frame]
        }
        let golden: Golden = try #require(Fixtures.json("formats/nv12.json"))
        #expect(golden.frames.count == 3)
        for frame in golden.frames {
            let plain = try image([UInt8](frame.nv12), .nv12, width: frame.width, height: frame.height)
            #expect(plain.bitmap.pixels == [UInt8](frame.rgb))
            // The same with rows four bytes apart.
            var padded: [UInt8] = []
            for start in stride(from: 0, to: frame.nv12.count, by: frame.width) {
                padded += frame.nv12[start..<(start + frame.width)] + [1, 2, 3, 4]
            }
            let spaced = try image(
                padded, .nv12, width: frame.width, height: frame.height, bytesPerRow: frame.width + 4)
            #expect(spaced.bitmap.pixels == [UInt8](frame.rgb))
        }
    }

    @Test func whatIsNoImageIsAnError() {
        let wrong: [(bytes: Int, layout: Image.PixelLayout, width: Int, height: Int, bytesPerRow: Int?)] = [
            (11, .rgb, 2, 2, nil), (15, .bgra, 2, 2, nil), (12, .rgb, 0, 2, nil), (12, .rgb, 2, -1, nil),
            (12, .rgb, .max, 2, nil), (12, .rgb, 2, 2, 5), (12, .rgb, 2, 2, .max), (5, .nv12, 2, 2, nil),
            (9, .nv12, 3, 2, nil), (9, .nv12, 2, 3, nil),
        ]
        for case let (bytes, layout, width, height, bytesPerRow) in wrong {
            let error = #expect(throws: ApusError.self) {
                try image(
                    [UInt8](repeating: 0, count: bytes), layout, width: width, height: height, bytesPerRow: bytesPerRow)
            }
            #expect(error?.code == .image && error?.remedy != nil)
        }
        let large = #expect(throws: ApusError.self) { try image(rgb, .rgb, limits: Image.Limits(pixels: 3)) }
        #expect(large?.code == .tooLarge && large?.advice?.text(for: .command).contains("--max-pixels") == true)
    }

    @Test func dataAndURLsAreRead() throws {
        let path = Fixtures.path("images/baseline.jpg")
        let url = URL(fileURLWithPath: path)
        let expected = try Image(contentsOfFile: path).bitmap
        #expect(try Image(contentsOf: url).bitmap == expected)
        #expect(try Image(decoding: Data(contentsOf: url)).bitmap == expected)
        let remote = try #require(URL(string: "https://example.com/a.jpg"))
        #expect(throws: ApusError.self) { try Image(contentsOf: remote) }
    }
}
