/// The size at which a model sees a picture.
package struct ResizeRule: Sendable, Equatable {
    /// Pixels that the shorter side gets, unless the longer one would pass `longest`.
    package var shortest: Int
    package var longest: Int

    package init(shortest: Int, longest: Int) {
        self.shortest = shortest
        self.longest = longest
    }

    /// The published DETR models' rule.
    package static let detr = ResizeRule(shortest: 800, longest: 1333)

    /// As `get_size_with_aspect_ratio` in DETR's `datasets/transforms.py`, rounding included. A picture so narrow that
    /// one side would vanish, which fails there, keeps one pixel of it.
    package func size(width: Int, height: Int) -> (width: Int, height: Int) {
        let (short, long) = (min(width, height), max(width, height))
        var side = shortest
        if Double(long) / Double(short) * Double(shortest) > Double(longest) {
            side = Int((Double(longest) * Double(short) / Double(long)).rounded(.toNearestOrEven))
        }
        if side == 0 { return width < height ? (1, longest) : (longest, 1) }
        if short == side { return (width, height) }
        let other = Int(Double(side * long) / Double(short))
        return width < height ? (side, other) : (other, side)
    }
}
