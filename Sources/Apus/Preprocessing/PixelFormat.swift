package import Engine
internal import Imaging
package import ONNX

/// The numbers that a model was trained on: the order of channels and axes, and how bytes are converted.
///
/// A byte becomes (value / 255 - mean) / std, or, if `isUnitScaled` is false, (value - mean) / std; computed in f32 in this
/// order, as torchvision's `ToTensor` and `Normalize` do. Tensors are f32, f16, or, for unconverted bytes, u8.
public struct PixelFormat: Sendable {
    /// The order of the channels.
    public enum ChannelOrder: Sendable { case rgb, bgr }
    /// The order of the axes: [batch, channels, height, width], or [batch, height, width, channels].
    public enum Layout: Sendable { case nchw, nhwc }

    /// What padding is filled with.
    public enum Fill: Sendable, Equatable {
        /// 0 in the tensor: after normalization, the mean color.
        case zero
        /// A byte, normalized like all others.
        case byte(UInt8)
    }

    /// The order of the channels.
    public var channels: ChannelOrder
    /// The order of the axes.
    public var layout: Layout
    /// What padding is filled with.
    public var fill: Fill
    /// Multiplies samples of 0 to 1 before normalization: 1 or 255.
    fileprivate let scale: Float
    fileprivate let normalization: ModelMetadata.Normalization
    /// For each channel of the image, red first, the number that each byte becomes.
    private let table: [Float]

    /// - Parameters:
    ///   - isUnitScaled: whether bytes are divided by 255.
    ///   - normalization: per channel of the image, red first; nil for none.
    package init(
        channels: ChannelOrder = .rgb, layout: Layout = .nchw, isUnitScaled: Bool = true,
        normalization: ModelMetadata.Normalization?, fill: Fill = .zero
    ) {
        precondition(normalization?.isValid ?? true, "three finite numbers each, and no deviation of 0")
        self.channels = channels
        self.layout = layout
        self.fill = fill
        scale = isUnitScaled ? 1 : 255
        let normalization = normalization ?? ModelMetadata.Normalization(mean: [0, 0, 0], std: [1, 1, 1])
        self.normalization = normalization
        table = (0..<3).flatMap { channel in
            (0..<256).map { byte in
                let value = isUnitScaled ? Float(byte) / 255 : Float(byte)
                return (value - normalization.mean[channel]) / normalization.std[channel]
            }
        }
    }

    /// RGB, [batch, channels, height, width], bytes divided by 255.
    public static let unitScaled = PixelFormat(normalization: nil)

    /// A format with a mean and a standard deviation per channel, red first, for samples of 0 to 1 (0 to 255 if `isUnitScaled` is
    /// false).
    ///
    /// - Parameters:
    ///   - channels: the order of the channels in the tensor.
    ///   - layout: the order of its axes.
    ///   - isUnitScaled: whether bytes are divided by 255 first.
    ///   - mean: subtracted from each sample; three finite numbers.
    ///   - std: the divisor of the difference; three finite numbers, none of them 0.
    ///   - fill: what padding is filled with.
    /// - Throws: `ApusError` with code `option` if a mean or deviation is invalid.
    public init(
        channels: ChannelOrder = .rgb, layout: Layout = .nchw, isUnitScaled: Bool = true, mean: [Float] = [0, 0, 0],
        std: [Float] = [1, 1, 1], fill: Fill = .zero
    ) throws(ApusError) {
        let normalization = ModelMetadata.Normalization(mean: mean, std: std)
        guard normalization.isValid else {
            throw ApusError(
                .option, doing: "use mean \(mean) and std \(std)",
                cause: "each needs three finite numbers, one per channel, and no deviation may be 0",
                remedy: "Use three numbers each, red first.")
        }
        self.init(
            channels: channels, layout: layout, isUnitScaled: isUnitScaled, normalization: normalization, fill: fill)
    }

    /// The lowest and highest number that a byte can become.
    package var range: ClosedRange<Float> { (table.min() ?? 0)...(table.max() ?? 1) }

    /// The shape of a batch's tensor.
    package func shape(count: Int, _ canvas: PixelSize) -> [Int] {
        layout == .nchw ? [count, 3, canvas.height, canvas.width] : [count, canvas.height, canvas.width, 3]
    }

    /// The tensor of resized images at their placements on a canvas. `count` is at least the number of images; the last image
    /// fills the rest of the batch.
    package func tensor(
        _ images: [(pixels: ResizedPixels, x: Int, y: Int)], as type: ElementType, count: Int, canvas: PixelSize
    ) throws -> Tensor {
        switch type {
        case .float32: try tensor(images, { $0 }, count: count, canvas: canvas)
        case .float16: try tensor(images, { Float16($0) }, count: count, canvas: canvas)
        case .uint8: try tensor(images, { UInt8(clamping: Int($0)) }, count: count, canvas: canvas)
        default: preconditionFailure("pixels are f32, f16 or u8")
        }
    }

    private func tensor<Scalar: TensorScalar & ExpressibleByIntegerLiteral>(
        _ images: [(pixels: ResizedPixels, x: Int, y: Int)], _ convert: (Float) -> Scalar, count: Int, canvas: PixelSize
    ) throws -> Tensor {
        let table = table.map(convert)
        precondition(!images.isEmpty, "a batch has at least one image")
        precondition(
            images.allSatisfy {
                $0.x >= 0 && $0.y >= 0 && $0.x + $0.pixels.size.width <= canvas.width
                    && $0.y + $0.pixels.size.height <= canvas.height
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
                let writer = CanvasWriter(self, canvas, padding: padding)
                for index in 0..<count {
                    let image = images[min(index, images.count - 1)]
                    let place = target + index * 3 * canvas.area
                    switch image.pixels {
                    case .bytes(let bitmap):
                        writer.write(bitmap.pixels, image.pixels.size, x: image.x, y: image.y, to: place) {
                            table[256 * $1 + Int($0)]
                        }
                    case .floats(let bitmap):
                        writer.write(bitmap.samples, image.pixels.size, x: image.x, y: image.y, to: place) {
                            convert(normalized($0, channel: $1))
                        }
                    }
                }
            }
        }
    }
}

extension PixelFormat {
    /// A sample of 0 to 1, channel 0 being red.
    @inline(__always)
    fileprivate func normalized(_ sample: Float, channel: Int) -> Float {
        (sample * scale - normalization.mean[channel]) / normalization.std[channel]
    }
}

/// Writes one image and the padding around it.
private struct CanvasWriter<Scalar> {
    private let canvas: PixelSize
    private let padding: [Scalar]
    /// Elements between neighboring pixels of a channel.
    private let step: Int
    /// Where each channel of the image begins in the tensor, red first.
    private let starts: [Int]

    init(_ format: PixelFormat, _ canvas: PixelSize, padding: [Scalar]) {
        self.canvas = canvas
        self.padding = padding
        step = format.layout == .nchw ? 1 : 3
        let distance = format.layout == .nchw ? canvas.area : 1
        starts = format.channels == .rgb ? [0, distance, 2 * distance] : [2 * distance, distance, 0]
    }

    /// - Parameters:
    ///   - samples: interleaved, red first, of an image of `size`.
    ///   - convert: from a sample of a channel to the tensor's element.
    @inline(__always)
    func write<Sample>(
        _ samples: [Sample], _ size: PixelSize, x: Int, y: Int, to target: UnsafeMutablePointer<Scalar>,
        _ convert: (Sample, Int) -> Scalar
    ) {
        for channel in 0..<3 where size != canvas {
            pad(target + starts[channel], with: padding[channel], around: size, x: x, y: y)
        }
        samples.withUnsafeBufferPointer { samples in
            guard let samples = samples.baseAddress else { return }
            // An image as wide as its canvas is one long row.
            let isWhole = size.width == canvas.width
            let rows = isWhole ? 1 : size.height
            let length = isWhole ? size.area : size.width
            for row in 0..<rows {
                let place = target + step * ((y + row) * canvas.width + x)
                write(samples + 3 * row * length, length, to: place, convert)
            }
        }
    }

    @inline(__always)
    private func write<Sample>(
        _ source: UnsafePointer<Sample>, _ length: Int, to target: UnsafeMutablePointer<Scalar>,
        _ convert: (Sample, Int) -> Scalar
    ) {
        let (red, green, blue) = (target + starts[0], target + starts[1], target + starts[2])
        // The step is a constant in each loop, so that the compiler vectorizes the first one.
        if step == 1 {
            for position in 0..<length {
                red[position] = convert(source[3 * position], 0)
                green[position] = convert(source[3 * position + 1], 1)
                blue[position] = convert(source[3 * position + 2], 2)
            }
        } else {
            for position in 0..<length {
                red[3 * position] = convert(source[3 * position], 0)
                green[3 * position] = convert(source[3 * position + 1], 1)
                blue[3 * position] = convert(source[3 * position + 2], 2)
            }
        }
    }

    /// Fills the area above, below, left and right of the image.
    private func pad(
        _ channel: UnsafeMutablePointer<Scalar>, with value: Scalar, around size: PixelSize, x: Int, y: Int
    ) {
        func fill(_ range: Range<Int>) {
            if step == 1 {
                (channel + range.lowerBound).update(repeating: value, count: range.count)
            } else {
                for position in range { channel[step * position] = value }
            }
        }
        fill(0..<(y * canvas.width))
        for row in y..<(y + size.height) {
            let start = row * canvas.width
            fill(start..<(start + x))
            fill((start + x + size.width)..<(start + canvas.width))
        }
        fill(((y + size.height) * canvas.width)..<canvas.area)
    }
}
