/// Where an image lies on the canvas that a model sees, which maps boxes back to the image.
public struct Placement: Sendable, Hashable {
    /// The size of the upright image.
    public var original: PixelSize
    /// The image's size after resizing.
    public var content: PixelSize
    /// The content's left edge on the canvas, in pixels.
    public var x: Int
    /// The content's top edge on the canvas, in pixels.
    public var y: Int
    /// The size that the model sees; the rest is padding.
    public var canvas: PixelSize
    /// Canvas pixels per image pixel, to map boxes back. For a letterbox, the exact ratio before the content's size was rounded,
    /// as in YOLOX and Ultralytics.
    public var horizontalScale: Float
    /// The vertical counterpart.
    public var verticalScale: Float

    /// Places an image on a canvas.
    ///
    /// - Parameters:
    ///   - original: the size of the upright image.
    ///   - content: its size after resizing.
    ///   - x: the content's left edge on the canvas, in pixels.
    ///   - y: the content's top edge on the canvas, in pixels.
    ///   - canvas: the size that the model sees.
    ///   - scale: of both axes; nil for the content's size divided by the image's.
    public init(
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
    public init(original: PixelSize, filling canvas: PixelSize) {
        self.init(original: original, content: canvas, canvas: canvas)
    }

    /// Maps a box from canvas pixels to pixels of the original image.
    public func original(_ box: Box) -> Box {
        Box(
            xMin: (box.xMin - Float(x)) / horizontalScale, yMin: (box.yMin - Float(y)) / verticalScale,
            xMax: (box.xMax - Float(x)) / horizontalScale, yMax: (box.yMax - Float(y)) / verticalScale)
    }
}
