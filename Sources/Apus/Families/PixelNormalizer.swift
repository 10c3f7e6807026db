package import Imaging
package import ONNXRuntime

/// Turns bytes into the numbers that a model was trained on: (value / 255 - mean) / std, by channel.
///
/// Computed in f32 in this order, as torchvision's `ToTensor` and `Normalize` do.
package struct PixelNormalizer: Sendable {
    /// 256 numbers for each of red, green and blue.
    private let table: [Float]

    /// The mean and deviation of ImageNet's pixels, with which torchvision's backbones were trained.
    package static let imageNet = PixelNormalizer(mean: imageNetMean, std: imageNetStd)
    static let imageNetMean: [Float] = [0.485, 0.456, 0.406]
    static let imageNetStd: [Float] = [0.229, 0.224, 0.225]

    package init(mean: [Float], std: [Float]) {
        precondition(mean.count == 3 && std.count == 3, "one number for each of red, green and blue")
        table = (0..<3).flatMap { channel in
            (0..<256).map { (Float($0) / 255 - mean[channel]) / std[channel] }
        }
    }

    /// A tensor [count, 3, height, width] of pictures at its top left; the rest is 0.
    package func tensor(
        _ pictures: [Bitmap], as type: ElementType, count: Int, width: Int, height: Int
    ) throws -> Tensor {
        precondition(
            pictures.allSatisfy { $0.width <= width && $0.height <= height }, "pictures fit into their canvas")
        return switch type {
        case .float32: try tensor(pictures, table: table, count: count, width: width, height: height)
        case .float16:
            try tensor(pictures, table: table.map { Float16($0) }, count: count, width: width, height: height)
        default: preconditionFailure("the family takes f32 and f16 only")
        }
    }

    /// `count` is at least the number of pictures; the rest of the batch repeats the last one.
    private func tensor<Scalar: TensorScalar>(
        _ pictures: [Bitmap], table: [Scalar], count: Int, width: Int, height: Int
    ) throws -> Tensor {
        precondition(!pictures.isEmpty, "a batch has at least one picture")
        let plane = width * height
        return try Tensor(Scalar.self, shape: [count, 3, height, width]) { target in
            guard let target = target.baseAddress else { return }
            table.withUnsafeBufferPointer { table in
                guard let table = table.baseAddress else { return }
                for index in 0..<count {
                    let picture = pictures[min(index, pictures.count - 1)]
                    picture.pixels.withUnsafeBufferPointer { pixels in
                        guard let pixels = pixels.baseAddress else { return }
                        // A picture that fills its canvas is one long row.
                        let isWhole = picture.width == width
                        let rows = isWhole ? 1 : picture.height
                        let length = isWhole ? picture.width * picture.height : picture.width
                        for row in 0..<rows {
                            let red = target + index * 3 * plane + row * width
                            let source = pixels + 3 * row * length
                            for position in 0..<length {
                                let pixel = source + 3 * position
                                red[position] = table[Int(pixel[0])]
                                red[position + plane] = table[256 + Int(pixel[1])]
                                red[position + 2 * plane] = table[512 + Int(pixel[2])]
                            }
                        }
                    }
                }
            }
        }
    }
}
