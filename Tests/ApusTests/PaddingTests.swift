import Apus
import Engine
import Imaging
import TestSupport
import Testing

/// Models with `valid_sizes`: pictures of several sizes in one batch, and canvases that are padded.
@Suite struct PaddingTests {
    private func family(height: Int?, width: Int?, batch: Int? = nil) throws -> any ModelAdapter {
        func value(_ name: String, _ dimensions: [Int?], _ type: ElementType = .float32) -> ValueInfo {
            ValueInfo(
                name: name, elementType: type,
                dimensions: dimensions.map { $0.map(ValueInfo.Dimension.fixed) ?? .dynamic(nil) })
        }
        return try ModelFamilies.recognize(
            ModelDescription(
                ModelSignature(
                    inputs: [value("inputs", [batch, 3, height, width]), value("valid_sizes", [batch, 2], .int64)],
                    outputs: [value("pred_logits", [nil, 5, 4]), value("pred_boxes", [nil, 5, 4])],
                    metadata: ["family": "detr"]))
        ).family
    }

    /// An image that was resized already.
    private func picture(_ width: Int, _ height: Int, _ level: UInt8) -> (pixels: ResizedPixels, placement: Placement) {
        let size = PixelSize(width: width, height: height)
        return (
            .bytes(
                Bitmap(width: width, height: height, pixels: [UInt8](repeating: level, count: 3 * width * height))),
            Placement(original: size, filling: size)
        )
    }

    @Test func picturesOfSeveralSizesShareACanvas() throws {
        let family = try family(height: nil, width: nil)
        #expect(family.inputs.marksPadding)
        let inputs = try family.inputs.tensors(for: [picture(3, 2, 255), picture(2, 4, 0)])
        #expect(inputs["inputs"]?.shape == [2, 3, 4, 3])
        #expect(try inputs["valid_sizes"]?.elements(of: Int64.self) == [2, 3, 4, 2])
        let pixels = try inputs["inputs"]?.elements(of: Float.self) ?? []
        let white = (1 - Float(0.485)) / 0.229
        // The first picture's red plane: two rows of it, two of padding.
        #expect(pixels[..<12].map { $0 == 0 } == [Bool](repeating: false, count: 6) + [Bool](repeating: true, count: 6))
        #expect(abs(pixels[0] - white) < 1e-5)
        // The second's: two columns of it, one of padding.
        #expect(pixels[36..<42].map { $0 == 0 } == [false, false, true, false, false, true])
    }

    @Test func aFixedCanvasIsPaddedAndNotStretched() throws {
        let family = try family(height: 480, width: 640)
        #expect(
            family.inputs.placement(of: PixelSize(width: 1000, height: 1000)).content
                == PixelSize(width: 480, height: 480))
        #expect(
            family.inputs.placement(of: PixelSize(width: 100, height: 900)).content == PixelSize(width: 53, height: 480)
        )
        #expect(
            family.inputs.placement(of: PixelSize(width: 2000, height: 100)).content
                == PixelSize(width: 640, height: 32))
        #expect(family.assumptions.contains { $0.contains("scaled into it, and the rest is masked") })
        let narrow = family.inputs.placement(of: PixelSize(width: 53, height: 480))
        #expect(
            try family.inputs.tensors(for: [(picture(53, 480, 9).pixels, narrow)])["inputs"]?.shape == [1, 3, 480, 640])
    }

    @Test func theRestOfAFixedBatchRepeatsTheLastPicture() throws {
        let inputs = try family(height: nil, width: nil, batch: 3).inputs.tensors(
            for: [picture(2, 2, 1), picture(1, 2, 1)])
        #expect(try inputs["valid_sizes"]?.elements(of: Int64.self) == [2, 2, 2, 1, 2, 1])
    }
}
