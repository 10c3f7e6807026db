public import Apus
internal import Drawing
internal import Foundation
internal import Imaging

extension Image {
    /// A copy with each detection's box, class and score drawn on it, the first on top.
    ///
    /// Line widths and text sizes scale with the image. An image whose shorter side is under 200 pixels is first enlarged by an
    /// integer factor, to keep text legible.
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
