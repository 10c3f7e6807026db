import Apus
import ApusDrawing
import Foundation
import Imaging
import TestSupport
import Testing

@Suite struct AnnotatedImageTests {
    private func gray(_ side: Int) throws -> Image {
        try Image(width: side, height: side, rgb: [UInt8](repeating: 128, count: 3 * side * side))
    }

    private let found = Detection(
        score: 0.9, label: 3, category: "car", box: Box(xMin: 40, yMin: 60, xMax: 200, yMax: 220))

    @Test func aBoxIsDrawnAndTheRestStays() throws {
        let image = try gray(300)
        let annotated = try image.annotated(with: [found])
        #expect(annotated.width == 300 && annotated.height == 300)
        let (before, after) = (image.bitmap.pixels, annotated.bitmap.pixels)
        func differs(_ x: Int, _ y: Int) -> Bool {
            (0..<3).contains { before[3 * (300 * y + x) + $0] != after[3 * (300 * y + x) + $0] }
        }
        #expect(differs(40, 150) && differs(200, 150) && differs(120, 220))
        #expect(!differs(120, 140) && !differs(280, 280))
    }

    @Test func aSmallImageIsEnlarged() throws {
        #expect(try gray(60).annotated(with: []).width == 240)
    }

    @Test(arguments: ["boxes.png", "boxes.jpg"]) func whatIsWrittenCanBeRead(name: String) throws {
        let folder = try TemporaryFolder()
        let url = folder.url.appendingPathComponent(name)
        try gray(300).annotated(with: [found]).write(to: url)
        let read = try Image(contentsOf: url)
        #expect(read.width == 300 && read.height == 300)
    }

    @Test func anotherFormatIsRefused() throws {
        let url = URL(fileURLWithPath: "/tmp/boxes.webp")
        let error = #expect(throws: ApusError.self) { try gray(8).write(to: url) }
        #expect(error?.code == .image)
        #expect(error?.remedy == "Use a name that ends in .png or .jpg.")
    }
}
