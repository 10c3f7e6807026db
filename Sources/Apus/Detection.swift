/// An object that was found.
public struct Detection: Sendable, Hashable, Codable {
    /// The model's confidence, 0 to 1.
    public var score: Float
    /// The model's number for the class. For models trained on COCO its category id, 1 to 90 with gaps.
    public var label: Int
    /// The name of the class; nil if the model and the configuration give none.
    public var category: String?
    /// Where it is.
    public var box: Box

    /// Makes a detection of its parts.
    public init(score: Float, label: Int, category: String?, box: Box) {
        self.score = score
        self.label = label
        self.category = category
        self.box = box
    }
}

/// A rectangle in pixels of the upright picture, the origin at its top left.
///
/// As the model gives it: an edge may lie a little outside of the picture.
public struct Box: Sendable, Hashable, Codable {
    /// The left edge.
    public var xMin: Float
    /// The top edge.
    public var yMin: Float
    /// The right edge.
    public var xMax: Float
    /// The bottom edge.
    public var yMax: Float

    /// Makes a box of its edges.
    public init(xMin: Float, yMin: Float, xMax: Float, yMax: Float) {
        self.xMin = xMin
        self.yMin = yMin
        self.xMax = xMax
        self.yMax = yMax
    }

    /// Pixels from the left edge to the right one.
    public var width: Float { xMax - xMin }

    /// Pixels from the top edge to the bottom one.
    public var height: Float { yMax - yMin }

    /// The middle of the box.
    public var center: (x: Float, y: Float) { ((xMin + xMax) / 2, (yMin + yMax) / 2) }

    /// Square pixels.
    public var area: Float { width * height }

    /// Intersection over union: 1 for the same box, 0 for two that don't overlap.
    public func iou(with other: Box) -> Float {
        let width = min(xMax, other.xMax) - max(xMin, other.xMin)
        let height = min(yMax, other.yMax) - max(yMin, other.yMin)
        guard width > 0, height > 0 else { return self == other ? 1 : 0 }
        let shared = width * height
        return shared / (area + other.area - shared)
    }
}

/// What was found in one picture, highest score first.
public struct DetectionResult: Sendable, Hashable, Codable {
    /// The objects.
    public var detections: [Detection]
    /// Width of the upright picture in pixels.
    public var width: Int
    /// Height of the upright picture in pixels.
    public var height: Int
    /// Where the time went.
    public var timings: Timings

    /// Makes a result of its parts.
    public init(detections: [Detection], width: Int, height: Int, timings: Timings) {
        self.detections = detections
        self.width = width
        self.height = height
        self.timings = timings
    }
}

/// Where the time went. In a batch, each picture's share of it.
public struct Timings: Sendable, Hashable, Codable {
    /// Resizing, normalizing and laying out the pixels.
    public var preprocess: Duration
    /// The model.
    public var inference: Duration
    /// From the model's outputs to boxes.
    public var postprocess: Duration

    /// Makes timings of their parts.
    public init(preprocess: Duration, inference: Duration, postprocess: Duration) {
        self.preprocess = preprocess
        self.inference = inference
        self.postprocess = postprocess
    }
}

extension Duration {
    /// Whole and fractional milliseconds.
    public var milliseconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) * 1e3 + Double(attoseconds) / 1e15
    }
}
