/// The resize rule of DETR and its relatives: the shorter side gets `shortest` pixels, unless the longer one would exceed
/// `longest`.
public struct ShortestEdge: Sendable, Hashable {
    /// The target for the shorter side, in pixels.
    public var shortest: Int
    /// The maximum for the longer side, in pixels.
    public var longest: Int

    /// Makes a rule from its parts.
    public init(shortest: Int, longest: Int) {
        self.shortest = shortest
        self.longest = longest
    }

    /// Computed like `get_size_with_aspect_ratio` in DETR's `datasets/transforms.py`, rounding included. An image so narrow that
    /// one side would vanish, which fails there, keeps one pixel of it.
    public func size(_ image: PixelSize) -> PixelSize {
        let (short, long) = (min(image.width, image.height), max(image.width, image.height))
        var side = shortest
        if Double(long) / Double(short) * Double(shortest) > Double(longest) {
            side = Int((Double(longest) * Double(short) / Double(long)).rounded(.toNearestOrEven))
        }
        if side == 0 {
            return image.width < image.height
                ? PixelSize(width: 1, height: longest) : PixelSize(width: longest, height: 1)
        }
        if short == side { return image }
        let other = Int(Double(side * long) / Double(short))
        return image.width < image.height
            ? PixelSize(width: side, height: other) : PixelSize(width: other, height: side)
    }
}
