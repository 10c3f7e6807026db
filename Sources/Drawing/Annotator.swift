package import Imaging

/// Draws labeled boxes on an image.
package enum Annotator {
    /// A copy of the image with the annotations drawn on it, the first on top.
    ///
    /// Sizes scale with the image. One whose shorter side is below 200 pixels is first enlarged by an integer factor, to keep
    /// text legible; `enlargement` returns the factor.
    ///
    /// - Throws: `notEncodable` for an image that cairo cannot hold.
    package static func draw(_ annotations: [Annotation], on picture: Bitmap) throws(ImagingError) -> Bitmap {
        let factor = enlargement(width: picture.width, height: picture.height)
        let canvas = try Canvas(picture, enlargedBy: factor)
        let scale = Double(factor)
        let boxes = annotations.map { annotation in
            Rectangle(
                x: annotation.xMin * scale, y: annotation.yMin * scale,
                width: (annotation.xMax - annotation.xMin) * scale, height: (annotation.yMax - annotation.yMin) * scale
            ).clipped(to: canvas.bounds)
        }
        for (annotation, box) in zip(annotations, boxes).reversed() {
            canvas.stroke(box, Color(ofClass: annotation.colorClass))
        }
        // Labels come after all boxes, so that no line crosses a text; each goes where it covers the least.
        var taken: [Rectangle] = []
        var placed: [(Annotation, Rectangle)] = []
        for (annotation, box) in zip(annotations, boxes) {
            let chip = place(canvas.chipSize(annotation.label), at: box, in: canvas.bounds, avoiding: taken)
            taken.append(chip)
            placed.append((annotation, chip))
        }
        for (annotation, chip) in placed.reversed() {
            canvas.label(annotation.label, in: chip, Color(ofClass: annotation.colorClass))
        }
        return try canvas.bitmap()
    }

    /// The factor by which an image is enlarged before drawing.
    package static func enlargement(width: Int, height: Int) -> Int {
        let short = min(width, height)
        guard short < 200 else { return 1 }
        return max(1, min((240 + short - 1) / short, 4000 / max(width, height)))
    }

    /// Above the box, else below it, else in one of its corners: the first place where the label covers no other, or the place
    /// where it covers least. Always inside the image.
    static func place(
        _ size: (width: Double, height: Double), at box: Rectangle, in bounds: Rectangle, avoiding taken: [Rectangle]
    ) -> Rectangle {
        let right = box.x + box.width - size.width
        let bottom = box.y + box.height
        let spots = [
            (box.x, box.y - size.height), (right, box.y - size.height), (box.x, bottom), (right, bottom),
            (box.x, box.y), (right, box.y), (box.x, bottom - size.height), (right, bottom - size.height),
        ].map { x, y in
            Rectangle(
                x: max(0, min(x, bounds.width - size.width)), y: max(0, min(y, bounds.height - size.height)),
                width: size.width, height: size.height)
        }
        func covered(_ spot: Rectangle) -> Double { taken.reduce(0) { $0 + spot.overlap($1) } }
        return spots.min { covered($0) < covered($1) } ?? box
    }
}

struct Rectangle: Sendable, Equatable {
    var x: Double
    var y: Double
    var width: Double
    var height: Double

    /// The part inside `bounds`; if there is none, a line on its edge.
    func clipped(to bounds: Rectangle) -> Rectangle {
        let left = max(bounds.x, min(x, bounds.x + bounds.width))
        let top = max(bounds.y, min(y, bounds.y + bounds.height))
        let right = max(left, min(x + width, bounds.x + bounds.width))
        let bottom = max(top, min(y + height, bounds.y + bounds.height))
        return Rectangle(x: left, y: top, width: right - left, height: bottom - top)
    }

    func overlap(_ other: Rectangle) -> Double {
        max(0, min(x + width, other.x + other.width) - max(x, other.x))
            * max(0, min(y + height, other.y + other.height) - max(y, other.y))
    }
}
