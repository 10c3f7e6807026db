internal import Imaging
internal import ONNX

/// How an image is brought to the size that a model expects.
public enum ResizePolicy: Sendable, Hashable {
    /// Scales both sides by one factor until the shorter one has the given number of pixels. On a canvas of given size, a larger
    /// image is scaled down until it fits; it lies at the top left.
    case shortestEdge(ShortestEdge)
    /// Scales each side by its own factor.
    case stretch(to: PixelSize)
    /// Scales both sides by one factor until the image fits; the rest of the canvas is filled.
    case letterbox(to: PixelSize, anchor: Anchor)
    /// Scales both sides by one factor to this width.
    case width(Int)
    /// Scales both sides by one factor to this height.
    case height(Int)

    /// Where the image lies along the axis of a letterbox that it doesn't fill.
    public enum Anchor: Sendable, Hashable {
        /// Like YOLOX.
        case topLeft
        /// Like Ultralytics. If an odd number of pixels is left over, the larger half is below or on the right.
        case center
    }

    /// Where an image of this size goes. Only `shortestEdge` uses `canvas`; nil means a canvas that the image fills.
    public func placement(of image: PixelSize, on canvas: PixelSize? = nil) -> Placement {
        switch self {
        case .shortestEdge(let rule):
            let wanted = rule.size(image)
            guard let canvas else { return Placement(original: image, filling: wanted) }
            let content = canvas.holds(wanted) ? wanted : image.scaled(toFit: canvas)
            return Placement(original: image, content: content, canvas: canvas)
        case .stretch(let size): return Placement(original: image, filling: size)
        case .width(let width):
            let height = PixelSize.scaled(image.height, by: width, over: image.width)
            return Placement(original: image, filling: PixelSize(width: width, height: height))
        case .height(let height):
            let width = PixelSize.scaled(image.width, by: height, over: image.height)
            return Placement(original: image, filling: PixelSize(width: width, height: height))
        case .letterbox(let size, let anchor):
            return ResizePolicy.letterbox(image, on: size, anchor)
        }
    }

    /// The size that every image gets; nil if it depends on the image.
    public var fixedSize: PixelSize? {
        switch self {
        case .stretch(let size), .letterbox(let size, _): size
        case .shortestEdge, .width, .height: nil
        }
    }

    private static func letterbox(_ image: PixelSize, on canvas: PixelSize, _ anchor: Anchor) -> Placement {
        let make = anchor == .topLeft ? Letterbox.yolox : Letterbox.ultralytics
        let box = make(image.width, image.height, canvas.width, canvas.height)
        return Placement(
            original: image, content: PixelSize(width: box.width, height: box.height), x: box.x, y: box.y,
            canvas: canvas,
            scale: box.scale)
    }
}

extension PixelSize {
    /// The largest size of the same shape that fits.
    fileprivate func scaled(toFit canvas: PixelSize) -> PixelSize {
        width * canvas.height > height * canvas.width
            ? PixelSize(
                width: canvas.width, height: min(canvas.height, PixelSize.scaled(height, by: canvas.width, over: width))
            )
            : PixelSize(
                width: min(canvas.width, PixelSize.scaled(width, by: canvas.height, over: height)),
                height: canvas.height)
    }

    /// `side * numerator / denominator`, at least 1 and at most the largest side a model may see.
    fileprivate static func scaled(_ side: Int, by numerator: Int, over denominator: Int) -> Int {
        let exact = (Double(side) * Double(numerator) / Double(denominator)).rounded()
        return Int(min(max(1, exact), Double(ModelMetadata.maxSide)))
    }
}
