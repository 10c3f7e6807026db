/// How samples between pixels are computed when a bitmap is resized.
///
/// Each is identical to a library's implementation bit for bit, because a model has to see what it saw in training. PyTorch's,
/// whose results aren't bytes, is ``Bitmap/torchResized(width:height:)``.
package enum Interpolation: Hashable, Sendable {
    /// Antialiased bilinear: Pillow's `resize((width, height), BILINEAR)`, versions 3 to 12. Pillow 13 filters rows
    /// first in tall and wide images, which changes some values by one.
    case pillow
    /// Bilinear without antialiasing: OpenCV's `resize(image, (width, height), interpolation=INTER_LINEAR)`.
    case openCV
}

extension Bitmap {
    /// Resizes to `width` by `height` pixels, both at least 1. For the same size it returns the same bitmap.
    package func resized(width: Int, height: Int, interpolation: Interpolation) -> Bitmap {
        switch interpolation {
        case .pillow: resized(width: width, height: height)
        case .openCV: openCVResized(width: width, height: height)
        }
    }
}
