import Testing

@testable import Imaging

/// What Ultralytics and YOLOX did with images of many sizes.
@Suite struct LetterboxTests {
    private func row(_ letterbox: Letterbox) -> [Int] { [letterbox.width, letterbox.height, letterbox.x, letterbox.y] }

    @Test func geometryEqualsUltralytics() throws {
        let goldens = try #require(ResamplingGoldens.all?.letterboxes.ultralytics)
        #expect(goldens.count > 100)
        for golden in goldens {
            let letterbox = Letterbox.ultralytics(
                imageWidth: golden[0], imageHeight: golden[1], canvasWidth: golden[2], canvasHeight: golden[3])
            #expect(row(letterbox) == Array(golden[4...]), "\(golden)")
        }
    }

    @Test func geometryEqualsYOLOXs() throws {
        let goldens = try #require(ResamplingGoldens.all?.letterboxes.yolox)
        #expect(goldens.count > 100)
        for golden in goldens {
            let letterbox = Letterbox.yolox(
                imageWidth: golden[0], imageHeight: golden[1], canvasWidth: golden[2], canvasHeight: golden[3])
            #expect(row(letterbox) == Array(golden[4...]), "\(golden)")
        }
    }

    @Test func pixelsEqualUltralyticsAndYOLOXs() throws {
        let goldens = try #require(ResamplingGoldens.all?.letterboxed)
        let photo = try ResamplingGoldens.photo()
        #expect(goldens.ultralytics.count == 4 && goldens.yolox.count == 4)
        for golden in goldens.ultralytics {
            let letterbox = Letterbox.ultralytics(
                imageWidth: photo.width, imageHeight: photo.height, canvasWidth: golden.canvas[0],
                canvasHeight: golden.canvas[1])
            let canvas = photo.letterboxed(letterbox, fill: 114, interpolation: .openCV)
            #expect(ResamplingGoldens.digest(canvas.pixels) == golden.sha256, "\(golden)")
        }
        for golden in goldens.yolox {
            let letterbox = Letterbox.yolox(
                imageWidth: photo.width, imageHeight: photo.height, canvasWidth: golden.canvas[0],
                canvasHeight: golden.canvas[1])
            let canvas = photo.letterboxed(letterbox, fill: 114, interpolation: .openCV)
            #expect(ResamplingGoldens.digest(canvas.pixels) == golden.sha256, "\(golden)")
        }
    }

    @Test func theScaleIsThatBeforeRounding() {
        let letterbox = Letterbox.yolox(imageWidth: 1000, imageHeight: 333, canvasWidth: 416, canvasHeight: 416)
        #expect(letterbox.scale == 0.416)
        #expect(row(letterbox) == [416, 138, 0, 0])
    }

    @Test func anImageTooThinForItsCanvasKeepsOnePixel() {
        let letterbox = Letterbox.yolox(imageWidth: 5000, imageHeight: 2, canvasWidth: 416, canvasHeight: 416)
        #expect(row(letterbox) == [416, 1, 0, 0])
    }

    @Test func everythingAroundAPlacedBitmapIsFilled() {
        let bitmap = Bitmap(width: 2, height: 2, pixels: [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4])
        let canvas = bitmap.placed(x: 1, y: 1, canvasWidth: 4, canvasHeight: 5, fill: 9)
        #expect([canvas.width, canvas.height] == [4, 5])
        let gray = stride(from: 0, to: 60, by: 3).map { canvas.pixels[$0] }
        #expect(gray == [9, 9, 9, 9, 9, 1, 2, 9, 9, 3, 4, 9, 9, 9, 9, 9, 9, 9, 9, 9])
        #expect(stride(from: 0, to: 60, by: 3).allSatisfy { canvas.pixels[$0] == canvas.pixels[$0 + 2] })
        let corner = bitmap.placed(x: 2, y: 1, canvasWidth: 4, canvasHeight: 3, fill: 0)
        #expect(stride(from: 0, to: 36, by: 3).map { corner.pixels[$0] } == [0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4])
        #expect(bitmap.placed(x: 0, y: 0, canvasWidth: 2, canvasHeight: 2, fill: 9) == bitmap)
    }
}
