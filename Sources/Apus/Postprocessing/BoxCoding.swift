/// How a model encodes a box in four numbers.
public struct BoxCoding: Sendable, Hashable {
    /// The meaning of the four numbers.
    public enum Form: Sendable {
        /// Center x, center y, width, height.
        case centerSize
        /// Left, top, right, bottom.
        case corners
    }

    /// The unit of the numbers.
    public enum Unit: Sendable {
        /// Fractions of the image, 0 to 1, regardless of padding.
        case imageFraction
        /// Fractions of the canvas, padding included.
        case canvasFraction
        /// Pixels of the canvas.
        case canvasPixels
        /// Pixels of the original image.
        case originalPixels
    }

    /// The meaning of the four numbers.
    public var form: Form
    /// The unit of the numbers.
    public var unit: Unit

    /// Makes a coding from its parts.
    public init(_ form: Form, _ unit: Unit) {
        self.form = form
        self.unit = unit
    }

    /// The box in pixels of the original image.
    public func box(_ first: Float, _ second: Float, _ third: Float, _ fourth: Float, in placement: Placement) -> Box {
        var box =
            switch form {
            case .corners: Box(xMin: first, yMin: second, xMax: third, yMax: fourth)
            case .centerSize:
                Box(
                    xMin: first - third / 2, yMin: second - fourth / 2, xMax: first + third / 2,
                    yMax: second + fourth / 2)
            }
        switch unit {
        case .originalPixels: return box
        case .imageFraction: return box.scaled(by: placement.original)
        case .canvasFraction: box = box.scaled(by: placement.canvas)
        case .canvasPixels: break
        }
        return placement.original(box)
    }

    /// The largest sensible magnitude of a box in this unit: a larger one would overflow in pixels.
    package var maxMagnitude: Float {
        switch unit {
        case .imageFraction, .canvasFraction: 1000
        case .canvasPixels, .originalPixels: 1e7
        }
    }
}

extension Box {
    fileprivate func scaled(by size: PixelSize) -> Box {
        let (width, height) = (Float(size.width), Float(size.height))
        return Box(xMin: xMin * width, yMin: yMin * height, xMax: xMax * width, yMax: yMax * height)
    }
}
