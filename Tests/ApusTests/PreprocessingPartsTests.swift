import Apus
import Engine
import Imaging
import ONNX
import Testing

@Suite struct ResizePolicyTests {
    private func place(_ policy: ResizePolicy, _ width: Int, _ height: Int, on canvas: PixelSize? = nil) -> Placement {
        policy.placement(of: PixelSize(width: width, height: height), on: canvas)
    }

    /// Width, height, left and top of the content.
    private func content(_ placement: Placement) -> [Int] {
        [placement.content.width, placement.content.height, placement.x, placement.y]
    }

    /// By Ultralytics' own arithmetic: r = min(640 / h, 640 / w); round(side * r); top = round(dh / 2 - 0.1).
    @Test(arguments: [
        (1920, 1080, [640, 360, 0, 140]), (1080, 1920, [360, 640, 140, 0]), (640, 640, [640, 640, 0, 0]),
        (640, 481, [640, 481, 0, 79]), (641, 481, [640, 480, 0, 80]), (100, 33, [640, 211, 0, 214]),
        (1, 5000, [1, 640, 319, 0]), (333, 500, [426, 640, 107, 0]), (810, 1080, [480, 640, 80, 0]),
    ])
    func centeredLetterboxesLieAsUltralyticsPutsThem(width: Int, height: Int, expected: [Int]) {
        let policy = ResizePolicy.letterbox(to: PixelSize(width: 640, height: 640), anchor: .center)
        let placement = place(policy, width, height)
        #expect(content(placement) == expected)
        #expect(placement.canvas == PixelSize(width: 640, height: 640))
    }

    /// By YOLOX' own arithmetic: r = min(416 / h, 416 / w); int(side * r).
    @Test(arguments: [
        (1920, 1080, [416, 234, 0, 0]), (640, 427, [416, 277, 0, 0]), (427, 640, [277, 416, 0, 0]),
        (100, 33, [416, 137, 0, 0]), (416, 416, [416, 416, 0, 0]),
    ])
    func letterboxesAtTheTopLeftLieAsYOLOXPutsThem(width: Int, height: Int, expected: [Int]) {
        let policy = ResizePolicy.letterbox(to: PixelSize(width: 416, height: 416), anchor: .topLeft)
        #expect(content(place(policy, width, height)) == expected)
    }

    @Test func stretchingFillsTheCanvas() {
        let placement = place(.stretch(to: PixelSize(width: 64, height: 32)), 100, 100)
        #expect(content(placement) == [64, 32, 0, 0])
        #expect(
            ResizePolicy.stretch(to: PixelSize(width: 64, height: 32)).fixedSize == PixelSize(width: 64, height: 32))
    }

    @Test func theShortestEdgeFitsItsCanvas() {
        let policy = ResizePolicy.shortestEdge(ShortestEdge(shortest: 800, longest: 1333))
        #expect(place(policy, 640, 480).canvas == PixelSize(width: 1066, height: 800))
        let canvas = PixelSize(width: 640, height: 480)
        let placement = place(policy, 1000, 1000, on: canvas)
        #expect(content(placement) == [480, 480, 0, 0] && placement.canvas == canvas)
    }

    @Test(arguments: [
        ResizePolicy.letterbox(to: PixelSize(width: 640, height: 640), anchor: .center),
        .letterbox(to: PixelSize(width: 416, height: 416), anchor: .topLeft),
        .stretch(to: PixelSize(width: 320, height: 320)), .width(640), .height(480),
        .shortestEdge(ShortestEdge(shortest: 800, longest: 1333)),
    ])
    func boxesOnTheCanvasComeBackToTheImage(policy: ResizePolicy) {
        for (width, height) in [(1920, 1080), (1080, 1920), (333, 500), (17, 4000)] {
            let placement = place(policy, width, height)
            let whole = Box(
                xMin: Float(placement.x), yMin: Float(placement.y),
                xMax: Float(placement.x + placement.content.width),
                yMax: Float(placement.y + placement.content.height))
            // A letterbox is mapped back by the exact ratio, so half a pixel of the canvas may be missing.
            let rounding = policy.fixedSize == nil ? 0 : 0.51 / min(placement.horizontalScale, placement.verticalScale)
            let tolerance = 1e-2 + (placement.content == placement.canvas ? 0 : 2 * rounding)
            let box = placement.original(whole)
            #expect(abs(box.xMin) < 1e-3 && abs(box.yMin) < 1e-3)
            #expect(abs(box.xMax - Float(width)) < tolerance && abs(box.yMax - Float(height)) < tolerance)
            let coded = BoxCoding(.centerSize, .canvasFraction).box(
                (Float(placement.x) + Float(placement.content.width) / 2) / Float(placement.canvas.width),
                (Float(placement.y) + Float(placement.content.height) / 2) / Float(placement.canvas.height),
                Float(placement.content.width) / Float(placement.canvas.width),
                Float(placement.content.height) / Float(placement.canvas.height), in: placement)
            #expect(abs(coded.xMax - box.xMax) < 0.5 && abs(coded.yMax - box.yMax) < 0.5)
        }
    }
}

@Suite struct PixelFormatTests {
    /// Two pixels: 10, 20, 30 and 40, 50, 60.
    private let bitmap = Bitmap(width: 2, height: 1, pixels: [10, 20, 30, 40, 50, 60])

    private func values(
        _ format: PixelFormat, as type: ElementType = .float32, x: Int = 0, y: Int = 0, width: Int = 2, height: Int = 1
    ) throws -> [Float] {
        let tensor = try format.tensor(
            [(.bytes(bitmap), x, y)], as: type, count: 1, canvas: PixelSize(width: width, height: height))
        #expect(tensor.shape == format.shape(count: 1, PixelSize(width: width, height: height)))
        return switch type {
        case .float16: try tensor.elements(of: Float16.self).map { Float($0) }
        case .uint8: try tensor.elements(of: UInt8.self).map { Float($0) }
        default: try tensor.elements(of: Float.self)
        }
    }

    @Test func channelsAndAxesAreInTheirOrder() throws {
        #expect(try values(PixelFormat(isUnitScaled: false)) == [10, 40, 20, 50, 30, 60])
        #expect(try values(PixelFormat(channels: .bgr, isUnitScaled: false)) == [30, 60, 20, 50, 10, 40])
        #expect(try values(PixelFormat(layout: .nhwc, isUnitScaled: false)) == [10, 20, 30, 40, 50, 60])
        #expect(
            try values(PixelFormat(channels: .bgr, layout: .nhwc, isUnitScaled: false)) == [30, 20, 10, 60, 50, 40])
    }

    @Test(arguments: [ElementType.float16, .uint8]) func otherTypesHoldTheSameBytes(type: ElementType) throws {
        #expect(
            try values(PixelFormat(channels: .bgr, layout: .nhwc, isUnitScaled: false), as: type)
                == [30, 20, 10, 60, 50, 40])
    }

    @Test func normalizationIsPerChannelOfTheImage() throws {
        let format = PixelFormat(
            channels: .bgr, normalization: ModelMetadata.Normalization(mean: [0.1, 0.2, 0.3], std: [1, 2, 4]))
        func expected(_ byte: Float, _ mean: Float, _ std: Float) -> Float { (byte / 255 - mean) / std }
        #expect(
            try values(format) == [
                expected(30, 0.3, 4), expected(60, 0.3, 4), expected(20, 0.2, 2), expected(50, 0.2, 2),
                expected(10, 0.1, 1), expected(40, 0.1, 1),
            ])
    }

    @Test func paddingSurroundsTheImage() throws {
        let format = try PixelFormat(isUnitScaled: false, fill: .byte(114))
        let planes = try values(format, x: 1, y: 1, width: 4, height: 3)
        let red: [Float] = [114, 114, 114, 114, 114, 10, 40, 114, 114, 114, 114, 114]
        #expect(Array(planes[..<12]) == red)
        #expect(Array(planes[24...]) == red.map { $0 == 114 ? 114 : $0 + 20 })
        let rows = try values(
            PixelFormat(layout: .nhwc, isUnitScaled: false, fill: .byte(7)), x: 0, y: 1, width: 2, height: 2)
        #expect(rows == [7, 7, 7, 7, 7, 7, 10, 20, 30, 40, 50, 60])
        // Padding of a normalized image is its mean color, unless a byte is asked for.
        #expect(try values(PixelFormat(normalization: .imageNet), width: 3)[2] == 0)
    }

    /// PyTorch resizes what was divided by 255 already.
    @Test(arguments: [true, false]) func samplesOfZeroToOneAreNormalizedAlike(isUnitScaled: Bool) throws {
        let format = PixelFormat(
            channels: .bgr, layout: .nhwc, isUnitScaled: isUnitScaled, normalization: isUnitScaled ? .imageNet : nil)
        let floats = FloatBitmap(width: 2, height: 1, samples: bitmap.pixels.map { Float($0) / 255 })
        let canvas = PixelSize(width: 3, height: 2)
        let bytes = try format.tensor([(.bytes(bitmap), 1, 0)], as: .float32, count: 1, canvas: canvas)
        let samples = try format.tensor([(.floats(floats), 1, 0)], as: .float32, count: 1, canvas: canvas)
        for (one, other) in zip(try bytes.elements(of: Float.self), try samples.elements(of: Float.self)) {
            #expect(abs(one - other) <= abs(one) * 1e-6)
        }
    }

    @Test func eachInterpolationIsItsLibrarys() {
        let source = Bitmap(width: 3, height: 2, pixels: (0..<18).map { UInt8($0 * 13) })
        let size = PixelSize(width: 2, height: 5)
        guard case .bytes(let pillow) = ResizedPixels(source, size: size, .pillow),
            case .bytes(let openCV) = ResizedPixels(source, size: size, .openCV),
            case .floats(let torch) = ResizedPixels(source, size: size, .torch)
        else {
            Issue.record("bytes, bytes and floats were expected")
            return
        }
        #expect(pillow == source.resized(width: 2, height: 5, interpolation: .pillow))
        #expect(openCV == source.resized(width: 2, height: 5, interpolation: .openCV))
        #expect(torch == source.torchResized(width: 2, height: 5))
    }

    @Test func theRestOfABatchRepeatsTheLastImage() throws {
        let tensor = try PixelFormat(isUnitScaled: false).tensor(
            [(.bytes(bitmap), 0, 0)], as: .float32, count: 3, canvas: PixelSize(width: 2, height: 1))
        let one: [Float] = [10, 40, 20, 50, 30, 60]
        #expect(try tensor.elements(of: Float.self) == one + one + one)
    }
}
