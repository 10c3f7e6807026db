package import Imaging

/// How the pixels of a resized image are computed: bit for bit as in the library that a family was trained with.
public enum PixelInterpolation: Sendable, Hashable {
    /// Pillow's antialiased bilinear filter, on bytes.
    case pillow
    /// OpenCV's `INTER_LINEAR`, on bytes.
    case openCV
    /// PyTorch's `interpolate(mode="bilinear", antialias=False)`, on bytes divided by 255.
    case torch
}

/// An image at the size that a model sees.
package enum ResizedPixels: Sendable {
    case bytes(Bitmap)
    /// Samples of 0 to 1.
    case floats(FloatBitmap)

    package init(_ bitmap: Bitmap, size: PixelSize, _ interpolation: PixelInterpolation) {
        self =
            switch interpolation {
            case .pillow:
                .bytes(bitmap.resized(width: size.width, height: size.height, interpolation: .pillow))
            case .openCV:
                .bytes(bitmap.resized(width: size.width, height: size.height, interpolation: .openCV))
            case .torch: .floats(bitmap.torchResized(width: size.width, height: size.height))
            }
    }

    package var size: PixelSize {
        switch self {
        case .bytes(let bitmap): PixelSize(width: bitmap.width, height: bitmap.height)
        case .floats(let bitmap): PixelSize(width: bitmap.width, height: bitmap.height)
        }
    }
}
