import Imaging
import Testing

@testable import Drawing

@Suite struct AnnotatorTests {
    private func flat(_ width: Int, _ height: Int, _ value: UInt8) -> Bitmap {
        Bitmap(width: width, height: height, pixels: [UInt8](repeating: value, count: 3 * width * height))
    }

    private func changed(_ a: Bitmap, _ b: Bitmap) -> Int { zip(a.pixels, b.pixels).count { $0 != $1 } }

    @Test func nothingToDrawLeavesThePictureAsItIs() throws {
        let picture = flat(320, 240, 100)
        #expect(try Annotator.draw([], on: picture) == picture)
    }

    /// On black, grey and white grounds, from small to large: the line and the text are there, with contrast.
    @Test(arguments: [UInt8(0), 128, 255], [(320, 240), (200, 900), (1600, 1200), (4000, 3000)])
    func linesAndTextShowOnAnyGround(ground: UInt8, size: (Int, Int)) throws {
        let picture = flat(size.0, size.1, ground)
        let (width, height) = (Double(size.0), Double(size.1))
        let annotation = Annotation(
            xMin: width * 0.25, yMin: height * 0.4, xMax: width * 0.75, yMax: height * 0.8, label: "person 0.98",
            colorClass: 1)
        let drawn = try Annotator.draw([annotation], on: picture)
        let color = Color(ofClass: 1)
        let ink = [color.red, color.green, color.blue].map { UInt8(($0 * 255).rounded()) }
        let middle = 3 * ((size.1 * 6 / 10) * size.0 + size.0 / 4)
        let line = (0..<12).contains { step in
            let at = middle + 3 * step
            return zip(drawn.pixels[at..<(at + 3)], ink).allSatisfy { abs(Int($0) - Int($1)) <= 3 }
        }
        #expect(line)
        let above = picture.pixels.indices.prefix(3 * size.0 * (size.1 * 4 / 10)).count { drawn.pixels[$0] != ground }
        #expect(above > 500)  // the label's ground and text
    }

    @Test func everyColourCarriesItsTextWithContrast() throws {
        for number in 0..<200 {
            let color = Color(ofClass: number)
            let (light, dark) = color.wantsBlackText ? (color.luminance, 0) : (1, color.luminance)
            #expect((light + 0.05) / (dark + 0.05) >= 4.5)
        }
    }

    @Test func smallPicturesAreEnlargedByAWholeNumber() throws {
        #expect(Annotator.enlargement(width: 64, height: 64) == 4)
        #expect(Annotator.enlargement(width: 320, height: 240) == 1)
        #expect(Annotator.enlargement(width: 4000, height: 3000) == 1)
        #expect(Annotator.enlargement(width: 3000, height: 10) == 1)
        let drawn = try Annotator.draw([], on: flat(64, 48, 7))
        #expect(drawn.width == 320 && drawn.height == 240)
        #expect(drawn.pixels.allSatisfy { $0 == 7 })
    }

    @Test func boxesOutsideOfThePictureAreCutAndNothingBreaks() throws {
        let picture = flat(300, 300, 50)
        let inf = Double.greatestFiniteMagnitude
        let annotations = [
            Annotation(xMin: -500, yMin: -500, xMax: 900, yMax: 900, label: "a", colorClass: 0),
            Annotation(xMin: 400, yMin: 400, xMax: 500, yMax: 500, label: "b", colorClass: 1),
            Annotation(xMin: 20, yMin: 20, xMax: 20, yMax: 20, label: "", colorClass: 2),
            Annotation(xMin: 90, yMin: 90, xMax: 10, yMax: 10, label: "inside out", colorClass: 3),
            Annotation(
                xMin: -inf, yMin: 0, xMax: inf, yMax: 1, label: String(repeating: "long ", count: 99), colorClass: -4),
        ]
        let drawn = try Annotator.draw(annotations, on: picture)
        #expect(drawn.width == 300 && drawn.height == 300)
        #expect(changed(drawn, picture) > 1000)
    }

    /// At 64 pixels the text must be there with the strokes of letters, dark on light or light on dark.
    @Test(arguments: [UInt8(0), 128, 255]) func textIsDrawnOnTheSmallestPictures(ground: UInt8) throws {
        let annotation = Annotation(xMin: 8, yMin: 30, xMax: 56, yMax: 60, label: "cat 0.98", colorClass: 3)
        let empty = Annotation(xMin: 8, yMin: 30, xMax: 56, yMax: 60, label: "               ", colorClass: 3)
        let with = try Annotator.draw([annotation], on: flat(64, 64, ground))
        let without = try Annotator.draw([empty], on: flat(64, 64, ground))
        #expect(with.width == 256)
        let shade: UInt8 = Color(ofClass: 3).wantsBlackText ? 0 : 255
        let letters = with.pixels.indices.count { with.pixels[$0] == shade && without.pixels[$0] != shade }
        #expect(letters > 100)
    }

    @Test func aPictureThatCairoCannotHoldIsAnErrorAndNotAnUndrawnCopy() throws {
        let annotation = Annotation(xMin: 1, yMin: 1, xMax: 9, yMax: 9, label: "a", colorClass: 0)
        let error = #expect(throws: ImagingError.self) { try Annotator.draw([annotation], on: flat(33_000, 20, 0)) }
        #expect(error?.code == .notEncodable)
        #expect(error?.remedy != nil)
    }

    @Test func labelsStayInsideAndApart() throws {
        let bounds = Rectangle(x: 0, y: 0, width: 300, height: 200)
        var taken: [Rectangle] = []
        for index in 0..<4 {
            let box = Rectangle(x: 20 + Double(index), y: 2, width: 200, height: 150)
            let chip = Annotator.place((60, 16), at: box, in: bounds, avoiding: taken)
            #expect(chip.x >= 0 && chip.y >= 0 && chip.x + chip.width <= 300 && chip.y + chip.height <= 200)
            #expect(taken.allSatisfy { $0.overlap(chip) == 0 })
            taken.append(chip)
        }
    }
}
