internal import ONNX

/// How an image gets to the size that a model wants.
package enum ResizePolicy: Sendable, Hashable {
    /// Both sides by one factor, until the shorter one has so many pixels. On a canvas of given size, an image that would
    /// be larger is scaled down until it fits; it lies at the top left.
    case shortestEdge(ShortestEdge)
    /// Each side by a factor of its own.
    case stretch(to: PixelSize)
    /// Both sides by one factor, until the image fits; the rest of the canvas is filled.
    case letterbox(to: PixelSize, anchor: LetterboxAnchor)
    /// Both sides by one factor, until the width is this.
    case width(Int)
    /// Both sides by one factor, until the height is this.
    case height(Int)

    package enum LetterboxAnchor: Sendable, Hashable {
        case topLeft, center
    }

    /// Where an image of this size goes. Only `shortestEdge` heeds `canvas`; for it, nil means a canvas that the image fills.
    package func placement(of image: PixelSize, on canvas: PixelSize? = nil) -> Placement {
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
    package var fixedSize: PixelSize? {
        switch self {
        case .stretch(let size), .letterbox(let size, _): size
        case .shortestEdge, .width, .height: nil
        }
    }

    /// Top left as YOLOX places it (`yolox/data/data_augment.py`, `preproc`: sizes truncated), centered as Ultralytics does
    /// (`ultralytics/data/augment.py`, `LetterBox`: sizes rounded, and half of the padding rounded down at the top and left).
    private static func letterbox(_ image: PixelSize, on canvas: PixelSize, _ anchor: LetterboxAnchor) -> Placement {
        let ratio = min(
            Double(canvas.height) / Double(image.height), Double(canvas.width) / Double(image.width))
        let rule: FloatingPointRoundingRule = anchor == .topLeft ? .towardZero : .toNearestOrEven
        func scaled(_ side: Int) -> Int { max(1, Int((Double(side) * ratio).rounded(rule))) }
        let content = PixelSize(
            width: min(canvas.width, scaled(image.width)), height: min(canvas.height, scaled(image.height)))
        guard anchor == .center else { return Placement(original: image, content: content, canvas: canvas) }
        func margin(_ outer: Int, _ inner: Int) -> Int {
            Int((Double(outer - inner) / 2 - 0.1).rounded(.toNearestOrEven))
        }
        return Placement(
            original: image, content: content, x: max(0, margin(canvas.width, content.width)),
            y: max(0, margin(canvas.height, content.height)), canvas: canvas)
    }
}

extension PixelSize {
    /// As large as fits, in the same shape.
    fileprivate func scaled(toFit canvas: PixelSize) -> PixelSize {
        width * canvas.height > height * canvas.width
            ? PixelSize(
                width: canvas.width, height: min(canvas.height, PixelSize.scaled(height, by: canvas.width, over: width)))
            : PixelSize(
                width: min(canvas.width, PixelSize.scaled(width, by: canvas.height, over: height)), height: canvas.height)
    }

    /// `side * numerator / denominator`, at least 1 and at most what any model may see.
    fileprivate static func scaled(_ side: Int, by numerator: Int, over denominator: Int) -> Int {
        let exact = (Double(side) * Double(numerator) / Double(denominator)).rounded()
        return Int(min(max(1, exact), Double(ModelMetadata.maxSide)))
    }
}
