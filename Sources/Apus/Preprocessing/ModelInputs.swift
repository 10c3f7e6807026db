package import Engine
internal import ONNX

/// A model's inputs: pixels, and inputs derived from the images' placement.
package struct ModelInputs: Sendable {
    /// An input besides the pixels.
    package struct Auxiliary: Sendable {
        package enum Content: Sendable, Equatable {
            /// [batch, height, width], 1 on the image and 0 on padding.
            case mask
            /// [batch, 2], height and width of the image on its canvas.
            case contentSizes
            /// [batch, 2], width and height of the original image.
            case originalSizes
        }

        package var value: ValueInfo
        package var content: Content

        package init(_ value: ValueInfo, _ content: Content) {
            self.value = value
            self.content = content
        }
    }

    /// [batch, 3, height, width], or [batch, height, width, 3] if the format is NHWC.
    package var pixels: ValueInfo
    package var auxiliary: [Auxiliary]
    package var resize: ResizePolicy
    package var interpolation: PixelInterpolation
    package var format: PixelFormat
    /// The canvas that the model's file fixes, on which `shortestEdge` pads; nil for none.
    package var fixedCanvas: PixelSize?
    private let type: ElementType

    /// Max number of pixels in a batch: 1.2 GB as f32.
    package static let maxBatchPixels = 100_000_000

    /// - Throws: if the pixels' type isn't one that `PixelFormat` writes, or a fixed size is impossible.
    package init(
        pixels: ValueInfo, auxiliary: [Auxiliary] = [], resize: ResizePolicy,
        interpolation: PixelInterpolation = .pillow, format: PixelFormat, fixedCanvas: PixelSize? = nil
    ) throws(ApusError) {
        guard let type = pixels.elementType, [.float32, .float16, .uint8].contains(type) else {
            throw ApusError(
                .notADetector, doing: "use the model", cause: "its input is \(pixels), which cannot hold pixels",
                remedy: "Export it with pixels of type f32, f16 or u8.")
        }
        self.pixels = pixels
        self.auxiliary = auxiliary
        self.resize = resize
        self.interpolation = interpolation
        self.format = format
        self.fixedCanvas = fixedCanvas
        self.type = type
        try checkSize(pixels, sides: format.layout == .nchw ? [0, 2, 3] : [0, 1, 2])
        for input in auxiliary where input.content == .mask { try checkSize(input.value, sides: [0, 1, 2]) }
    }

    /// Refuses a fixed input size that no image fits, or that would take all memory.
    private func checkSize(_ input: ValueInfo, sides: [Int]) throws(ApusError) {
        let fixed = sides.compactMap { input.dimensions[$0].size }
        guard fixed.allSatisfy({ (1...ModelMetadata.maxSide).contains($0) }),
            fixed.reduce(1, *) <= ModelInputs.maxBatchPixels
        else {
            throw ApusError(
                .model, doing: "use the model", cause: "its input is \(input), which is not a size for images",
                remedy: "Export it for images of up to \(ModelMetadata.maxSide) pixels a side, 100 million in a batch.")
        }
    }

    /// The number of elements of a shape; nil if it is negative or overflows.
    package static func elementCount(_ shape: [Int]) -> Int? {
        var count = 1
        for size in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            guard size >= 0, !overflow else { return nil }
            count = product
        }
        return count
    }

    /// The model's fixed batch size; nil for any.
    package var fixedBatch: Int? { pixels.dimensions.first?.size }

    /// Whether images of several sizes can share a batch, because the model gets each one's placement.
    package var marksPadding: Bool { auxiliary.contains { $0.content == .contentSizes } }

    /// Whether the model gets every image at one size, fixed by its file.
    package var hasFixedSize: Bool { fixedCanvas != nil || resize.fixedSize != nil }

    /// Where an image goes, on a canvas if there is one.
    package func placement(of image: PixelSize, on canvas: PixelSize? = nil) -> Placement {
        resize.placement(of: image, on: canvas ?? fixedCanvas)
    }

    /// The model's inputs for resized images, and their placements. On a canvas, copies of the last image fill the batch.
    ///
    /// - Parameter placed: contents of the size that `placement(of:on:)` returned; of one size, unless the model marks padding.
    package func tensors(
        for placed: [(pixels: ResizedPixels, placement: Placement)], on canvas: Canvas? = nil
    ) throws -> [String: Tensor] {
        let count = canvas?.batch ?? fixedBatch ?? placed.count
        let size =
            canvas?.size
            ?? PixelSize(
                width: placed.map(\.placement.canvas.width).max() ?? 1,
                height: placed.map(\.placement.canvas.height).max() ?? 1)
        guard count * size.area <= ModelInputs.maxBatchPixels else {
            throw ApusError(
                .model, doing: "make the model's input",
                cause: "\(count) images of \(size) have more than \(ModelInputs.maxBatchPixels) pixels",
                remedy: "Use a smaller batch, or export the model for smaller images.")
        }
        var tensors = [
            pixels.name: try format.tensor(
                placed.map { ($0.pixels, $0.placement.x, $0.placement.y) }, as: type, count: count, canvas: size)
        ]
        for input in auxiliary {
            tensors[input.value.name] = try tensor(input, placed.map(\.placement), count: count, size)
        }
        return tensors
    }

    private func tensor(
        _ input: Auxiliary, _ placements: [Placement], count: Int, _ canvas: PixelSize
    ) throws -> Tensor {
        func pairs(_ pair: (Placement) -> (Int, Int)) throws -> Tensor {
            let numbers = (0..<count).flatMap { index -> [Int64] in
                let (first, second) = pair(placements[min(index, placements.count - 1)])
                return [Int64(first), Int64(second)]
            }
            return try Tensor(shape: [count, 2], scalars: numbers)
        }
        switch input.content {
        case .contentSizes: return try pairs { ($0.content.height, $0.content.width) }
        case .originalSizes: return try pairs { ($0.original.width, $0.original.height) }
        case .mask:
            // Images of a batch have one size and fill their canvas, so there is no padding. Some exports fix the mask at another
            // size: it is resized inside the model.
            let shape = [
                count, input.value.dimensions[1].size ?? canvas.height, input.value.dimensions[2].size ?? canvas.width,
            ]
            return switch input.value.elementType {
            case .bool: try Tensor(Bool.self, uninitialized: shape) { $0.update(repeating: true) }
            case .float32: try Tensor(Float.self, uninitialized: shape) { $0.update(repeating: 1) }
            default: try Tensor(Int64.self, uninitialized: shape) { $0.update(repeating: 1) }
            }
        }
    }
}
