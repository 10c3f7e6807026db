public import Apus
internal import Drawing
internal import Foundation
internal import Imaging

extension Image {
    /// A copy with a box, the class and the score of each detection drawn on it, the first on top.
    ///
    /// Line widths and text sizes follow the image's size. An image whose shorter side is under 200 pixels is first enlarged by a
    /// whole number, as no text could be read in it otherwise.
    ///
    /// - Parameter detections: with boxes in pixels of this image.
    /// - Throws: `ApusError` with code `image` if the image is too large to draw on (32,767 pixels a side).
    public func annotated(with detections: [Detection]) throws(ApusError) -> Image {
        let annotations = detections.map { found in
            Annotation(
                xMin: Double(found.box.xMin), yMin: Double(found.box.yMin), xMax: Double(found.box.xMax),
                yMax: Double(found.box.yMax),
                label: (found.category ?? "class \(found.label)") + String(format: " %.2f", found.score),
                colorClass: found.label)
        }
        do {
            return Image(bitmap: try Annotator.draw(annotations, on: bitmap))
        } catch {
            throw ApusError(error, doing: "draw on the image")
        }
    }
}
