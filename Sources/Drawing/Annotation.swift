/// A box to draw: its corners in pixels of the image, its label, and the class that selects its color.
package struct Annotation: Sendable, Hashable {
    package var xMin: Double
    package var yMin: Double
    package var xMax: Double
    package var yMax: Double
    package var label: String
    /// Annotations of the same class get the same color.
    package var colorClass: Int

    package init(xMin: Double, yMin: Double, xMax: Double, yMax: Double, label: String, colorClass: Int) {
        self.xMin = xMin
        self.yMin = yMin
        self.xMax = xMax
        self.yMax = yMax
        self.label = label
        self.colorClass = colorClass
    }
}
