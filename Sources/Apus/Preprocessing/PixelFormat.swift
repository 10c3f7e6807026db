package import Imaging
package import ONNX
package import ONNXRuntime

/// The numbers that a model was trained on: the order of channels and axes, and what becomes of a byte.
///
/// A byte is (value / 255 - mean) / std, or itself where `isUnitScaled` is false; computed in f32 in this order, as
/// torchvision's `ToTensor` and `Normalize` do. Tensors are f32, f16, or, of bytes as they are, u8.
package struct PixelFormat: Sendable {
    package enum ChannelOrder: Sendable { case rgb, bgr }
    package enum Layout: Sendable { case nchw, nhwc }

    /// What padding is.
    package enum Fill: Sendable, Equatable {
        /// 0 in the tensor: after normalization, the mean color.
        case zero
        /// A byte, normalized like all others.
        case byte(UInt8)
    }

    package var channels: ChannelOrder
    package var layout: Layout
    package var fill: Fill
    /// For each channel of the image, red first, 256 numbers.
    private let table: [Float]

    /// - Parameters:
    ///   - isUnitScaled: whether bytes are divided by 255.
    ///   - normalization: per channel of the image, red first; nil for none.
    package init(
        channels: ChannelOrder = .rgb, layout: Layout = .nchw, isUnitScaled: Bool = true,
        normalization: ModelMetadata.Normalization? = nil, fill: Fill = .zero
    ) {
        precondition(normalization?.isValid ?? true, "three finite numbers each, and no deviation of 0")
        self.channels = channels
        self.layout = layout
        self.fill = fill
        let mean = normalization?.mean ?? [0, 0, 0]
        let std = normalization?.std ?? [1, 1, 1]
        table = (0..<3).flatMap { channel in
            (0..<256).map { byte in
                let value = isUnitScaled ? Float(byte) / 255 : Float(byte)
                return (value - mean[channel]) / std[channel]
            }
        }
    }

    /// The lowest and the highest number that a byte becomes.
    package var range: ClosedRange<Float> { (table.min() ?? 0)...(table.max() ?? 1) }

    /// The shape of a batch's tensor.
    package func shape(count: Int, _ canvas: PixelSize) -> [Int] {
        layout == .nchw ? [count, 3, canvas.height, canvas.width] : [count, canvas.height, canvas.width, 3]
    }

    /// The tensor of resized images at their places on a canvas. `count` is at least the number of images; the rest of the
    /// batch repeats the last one.
    package func tensor(
        _ images: [(bitmap: Bitmap, x: Int, y: Int)], as type: ElementType, count: Int, canvas: PixelSize
    ) throws -> Tensor {
        switch type {
        case .float32: try tensor(images, table: table, count: count, canvas: canvas)
        case .float16: try tensor(images, table: table.map { Float16($0) }, count: count, canvas: canvas)
        case .uint8:
            try tensor(images, table: table.map { UInt8(clamping: Int($0)) }, count: count, canvas: canvas)
        default: preconditionFailure("pixels are f32, f16 or u8")
        }
    }

    private func tensor<Scalar: TensorScalar & ExpressibleByIntegerLiteral>(
        _ images: [(bitmap: Bitmap, x: Int, y: Int)], table: [Scalar], count: Int, canvas: PixelSize
    ) throws -> Tensor {
        precondition(!images.isEmpty, "a batch has at least one image")
        precondition(
            images.allSatisfy {
                $0.x >= 0 && $0.y >= 0 && $0.x + $0.bitmap.width <= canvas.width
                    && $0.y + $0.bitmap.height <= canvas.height
            }, "images fit on their canvas")
        let padding: [Scalar] =
            switch fill {
            case .zero: [0, 0, 0]
            case .byte(let byte): (0..<3).map { table[256 * $0 + Int(byte)] }
            }
        return try Tensor(Scalar.self, uninitialized: shape(count: count, canvas)) { target in
            guard let target = target.baseAddress else { return }
            table.withUnsafeBufferPointer { table in
                guard let table = table.baseAddress else { return }
                let writer = CanvasWriter(self, canvas, table: table, padding: padding)
                for index in 0..<count {
                    let image = images[min(index, images.count - 1)]
                    writer.write(image.bitmap, x: image.x, y: image.y, to: target + index * 3 * canvas.area)
                }
            }
        }
    }
}

/// Writes one image and the padding around it.
private struct CanvasWriter<Scalar> {
    private let canvas: PixelSize
    private let table: UnsafePointer<Scalar>
    private let padding: [Scalar]
    /// Elements between neighboring pixels of a channel.
    private let step: Int
    /// Where each channel of the image begins in the tensor, red first.
    private let starts: [Int]

    init(_ format: PixelFormat, _ canvas: PixelSize, table: UnsafePointer<Scalar>, padding: [Scalar]) {
        self.canvas = canvas
        self.table = table
        self.padding = padding
        step = format.layout == .nchw ? 1 : 3
        let distance = format.layout == .nchw ? canvas.area : 1
        starts = format.channels == .rgb ? [0, distance, 2 * distance] : [2 * distance, distance, 0]
    }

    func write(_ bitmap: Bitmap, x: Int, y: Int, to target: UnsafeMutablePointer<Scalar>) {
        bitmap.pixels.withUnsafeBufferPointer { pixels in
            guard let pixels = pixels.baseAddress else { return }
            for channel in 0..<3 where bitmap.width < canvas.width || bitmap.height < canvas.height {
                pad(target + starts[channel], with: padding[channel], around: bitmap, x: x, y: y)
            }
            // An image as wide as its canvas is one long row.
            let isWhole = bitmap.width == canvas.width
            let rows = isWhole ? 1 : bitmap.height
            let length = isWhole ? bitmap.width * bitmap.height : bitmap.width
            for row in 0..<rows {
                let place = step * ((y + row) * canvas.width + x)
                write(pixels + 3 * row * length, length, to: target + place)
            }
        }
    }

    @inline(__always)
    private func write(_ source: UnsafePointer<UInt8>, _ length: Int, to target: UnsafeMutablePointer<Scalar>) {
        let (red, green, blue) = (target + starts[0], target + starts[1], target + starts[2])
        if step == 1 {
            for position in 0..<length {
                let pixel = source + 3 * position
                red[position] = table[Int(pixel[0])]
                green[position] = table[256 + Int(pixel[1])]
                blue[position] = table[512 + Int(pixel[2])]
            }
        } else {
            for position in 0..<length {
                let pixel = source + 3 * position
                red[3 * position] = table[Int(pixel[0])]
                green[3 * position] = table[256 + Int(pixel[1])]
                blue[3 * position] = table[512 + Int(pixel[2])]
            }
        }
    }

    /// Fills what lies above, below, left and right of the image.
    private func pad(
        _ channel: UnsafeMutablePointer<Scalar>, with value: Scalar, around bitmap: Bitmap, x: Int, y: Int
    ) {
        func fill(_ range: Range<Int>) {
            if step == 1 {
                (channel + range.lowerBound).update(repeating: value, count: range.count)
            } else {
                for position in range { channel[step * position] = value }
            }
        }
        fill(0..<(y * canvas.width))
        for row in y..<(y + bitmap.height) {
            let start = row * canvas.width
            fill(start..<(start + x))
            fill((start + x + bitmap.width)..<(start + canvas.width))
        }
        fill(((y + bitmap.height) * canvas.width)..<canvas.area)
    }
}
