/// Where an image lies on the canvas that a model sees, and so how boxes get back to the image.
package struct Placement: Sendable, Hashable {
    /// The upright image.
    package var original: PixelSize
    /// The image after resizing.
    package var content: PixelSize
    /// The content's top left corner on the canvas.
    package var x: Int
    package var y: Int
    /// What the model sees; the rest is padding.
    package var canvas: PixelSize
    /// Pixels of the canvas per pixel of the image, by which boxes are mapped back. For a letterbox the exact ratio, before
    /// the content's size was rounded, as YOLOX and Ultralytics map theirs.
    package var horizontalScale: Float
    package var verticalScale: Float

    /// - Parameter scale: of both sides; nil for the content's size over the image's.
    package init(
        original: PixelSize, content: PixelSize, x: Int = 0, y: Int = 0, canvas: PixelSize, scale: Double? = nil
    ) {
        self.original = original
        self.content = content
        self.x = x
        self.y = y
        self.canvas = canvas
        horizontalScale = Float(scale ?? Double(content.width) / Double(original.width))
        verticalScale = Float(scale ?? Double(content.height) / Double(original.height))
    }

    /// An image that fills its canvas.
    package init(original: PixelSize, filling canvas: PixelSize) {
        self.init(original: original, content: canvas, canvas: canvas)
    }

    /// A box in pixels of the canvas, in pixels of the original image.
    package func original(_ box: Box) -> Box {
        Box(
            xMin: (box.xMin - Float(x)) / horizontalScale, yMin: (box.yMin - Float(y)) / verticalScale,
            xMax: (box.xMax - Float(x)) / horizontalScale, yMax: (box.yMax - Float(y)) / verticalScale)
    }
}
