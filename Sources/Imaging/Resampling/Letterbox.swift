/// How an image is placed on a canvas of another shape without distortion: resized to fit, the rest filled.
package struct Letterbox: Hashable, Sendable {
    /// Where the image lies along the axis that it doesn't fill.
    package enum Anchor: Hashable, Sendable {
        case topLeft
        /// In the middle. If an odd number of pixels is left over, the larger half is below or on the right.
        case center
    }

    /// The size of the canvas, in pixels.
    package let canvasWidth: Int
    package let canvasHeight: Int
    /// The size to which the image is resized, in pixels, at least 1.
    package let width: Int
    package let height: Int
    /// Where the image's upper left corner lies on the canvas, in pixels.
    package let x: Int
    package let y: Int
    /// Canvas pixels per image pixel, before the size was rounded: the references use it to map boxes back.
    package let scale: Double

    /// Fits an image of `imageWidth` by `imageHeight` pixels into a canvas.
    ///
    /// A side that the references would round to 0, and fail, becomes 1.
    ///
    /// - Parameter rounding: how the size of the resized image is rounded to whole pixels.
    package init(
        imageWidth: Int, imageHeight: Int, canvasWidth: Int, canvasHeight: Int, anchor: Anchor,
        rounding: FloatingPointRoundingRule
    ) {
        precondition(min(imageWidth, imageHeight, canvasWidth, canvasHeight) > 0, "a bitmap has at least one pixel")
        self.canvasWidth = canvasWidth
        self.canvasHeight = canvasHeight
        let scale = min(Double(canvasHeight) / Double(imageHeight), Double(canvasWidth) / Double(imageWidth))
        self.scale = scale
        width = max(1, Int((Double(imageWidth) * scale).rounded(rounding)))
        height = max(1, Int((Double(imageHeight) * scale).rounded(rounding)))
        switch anchor {
        case .topLeft: (x, y) = (0, 0)
        // round(padding / 2 - 0.1), which never meets a half
        case .center: (x, y) = ((canvasWidth - width) / 2, (canvasHeight - height) / 2)
        }
    }

    /// YOLOX's (`preproc` in `yolox/data/data_augment.py`): top left, sizes truncated. Its canvas is filled with 114.
    package static func yolox(
        imageWidth: Int, imageHeight: Int, canvasWidth: Int, canvasHeight: Int
    ) -> Letterbox {
        Letterbox(
            imageWidth: imageWidth, imageHeight: imageHeight, canvasWidth: canvasWidth, canvasHeight: canvasHeight,
            anchor: .topLeft, rounding: .towardZero)
    }

    /// Ultralytics' (`LetterBox` in `ultralytics/data/augment.py`, `auto=False`): centered, sizes rounded half to even.
    /// Its canvas is filled with 114.
    package static func ultralytics(
        imageWidth: Int, imageHeight: Int, canvasWidth: Int, canvasHeight: Int
    ) -> Letterbox {
        Letterbox(
            imageWidth: imageWidth, imageHeight: imageHeight, canvasWidth: canvasWidth, canvasHeight: canvasHeight,
            anchor: .center, rounding: .toNearestOrEven)
    }
}

extension Bitmap {
    /// Resizes and places the bitmap on a canvas, as `letterbox`, made for its size, describes.
    ///
    /// - Parameter fill: the value of every sample of the canvas that the image doesn't cover.
    package func letterboxed(_ letterbox: Letterbox, fill: UInt8, interpolation: Interpolation) -> Bitmap {
        resized(width: letterbox.width, height: letterbox.height, interpolation: interpolation).placed(
            x: letterbox.x, y: letterbox.y, canvasWidth: letterbox.canvasWidth, canvasHeight: letterbox.canvasHeight,
            fill: fill)
    }

    /// A canvas with this bitmap's upper left corner at pixel (x, y). The bitmap must lie entirely inside.
    ///
    /// - Parameter fill: the value of every sample of the canvas outside the bitmap.
    package func placed(x: Int, y: Int, canvasWidth: Int, canvasHeight: Int, fill: UInt8) -> Bitmap {
        precondition(
            x >= 0 && y >= 0 && x + width <= canvasWidth && y + height <= canvasHeight,
            "the bitmap extends beyond its canvas")
        if width == canvasWidth, height == canvasHeight { return self }
        return pixels.withUnsafeBufferPointer { pixels in
            Bitmap(width: canvasWidth, height: canvasHeight) { canvas in
                guard let source = pixels.baseAddress, var target = canvas.baseAddress else { return }
                func write(fillingPixels count: Int) {
                    target.update(repeating: fill, count: 3 * count)
                    target += 3 * count
                }
                write(fillingPixels: canvasWidth * y + x)
                for row in 0..<height {
                    target.update(from: source + 3 * width * row, count: 3 * width)
                    target += 3 * width
                    // Up to the next row of the bitmap, or to the end.
                    let rest = canvasWidth - x - width
                    write(fillingPixels: row + 1 < height ? rest + x : rest)
                }
                write(fillingPixels: canvasWidth * (canvasHeight - y - height))
            }
        }
    }
}
