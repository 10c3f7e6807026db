/// How a model writes a box: four numbers.
public struct BoxCoding: Sendable, Hashable {
    /// What the four numbers are.
    public enum Form: Sendable {
        /// Center x, center y, width, height.
        case centerSize
        /// Left, top, right, bottom.
        case corners
    }

    /// What the numbers count.
    public enum Unit: Sendable {
        /// Shares of the image, 0 to 1, whatever is padded around it.
        case imageFraction
        /// Shares of the canvas, padding included.
        case canvasFraction
        /// Pixels of the canvas.
        case canvasPixels
        /// Pixels of the original image.
        case originalPixels
    }

    /// What the four numbers are.
    public var form: Form
    /// What the numbers count.
    public var unit: Unit

    /// Makes a coding of its parts.
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

    /// The largest magnitude that a box of this unit can sensibly have: more would be no box, and overflow in pixels.
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
