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

    package init(original: PixelSize, content: PixelSize, x: Int = 0, y: Int = 0, canvas: PixelSize) {
        self.original = original
        self.content = content
        self.x = x
        self.y = y
        self.canvas = canvas
    }

    /// An image that fills its canvas.
    package init(original: PixelSize, filling canvas: PixelSize) {
        self.init(original: original, content: canvas, canvas: canvas)
    }

    /// A box in pixels of the canvas, in pixels of the original image.
    package func original(_ box: Box) -> Box {
        let horizontal = Float(original.width) / Float(content.width)
        let vertical = Float(original.height) / Float(content.height)
        return Box(
            xMin: (box.xMin - Float(x)) * horizontal, yMin: (box.yMin - Float(y)) * vertical,
            xMax: (box.xMax - Float(x)) * horizontal, yMax: (box.yMax - Float(y)) * vertical)
    }
}
