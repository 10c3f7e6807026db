/// A detected object.
public struct Detection: Sendable, Hashable, Codable {
    /// The model's confidence, 0 to 1.
    public var score: Float
    /// The model's class number. For models trained on COCO, its category id: 1 to 90 with gaps.
    public var label: Int
    /// The name of the class; nil if neither the model nor the configuration provides one.
    public var category: String?
    /// The object's location.
    public var box: Box

    /// Makes a detection from its parts.
    public init(score: Float, label: Int, category: String?, box: Box) {
        self.score = score
        self.label = label
        self.category = category
        self.box = box
    }
}

/// A rectangle in pixels of the upright image, with the origin at its top left.
///
/// As the model outputs it: an edge may lie slightly outside the image.
public struct Box: Sendable, Hashable, Codable {
    /// The left edge.
    public var xMin: Float
    /// The top edge.
    public var yMin: Float
    /// The right edge.
    public var xMax: Float
    /// The bottom edge.
    public var yMax: Float

    /// Makes a box from its edges.
    public init(xMin: Float, yMin: Float, xMax: Float, yMax: Float) {
        self.xMin = xMin
        self.yMin = yMin
        self.xMax = xMax
        self.yMax = yMax
    }

    /// Width in pixels.
    public var width: Float { xMax - xMin }

    /// Height in pixels.
    public var height: Float { yMax - yMin }

    /// The center of the box.
    public var center: (x: Float, y: Float) { ((xMin + xMax) / 2, (yMin + yMax) / 2) }

    /// Area in square pixels.
    public var area: Float { width * height }

    /// Intersection over union: 1 for identical boxes, 0 for boxes that don't overlap.
    public func iou(with other: Box) -> Float {
        let width = min(xMax, other.xMax) - max(xMin, other.xMin)
        let height = min(yMax, other.yMax) - max(yMin, other.yMin)
        guard width > 0, height > 0 else { return self == other ? 1 : 0 }
        let shared = width * height
        return shared / (area + other.area - shared)
    }
}

/// The objects detected in one image, highest score first.
public struct DetectionResult: Sendable, Hashable, Codable {
    /// The objects.
    public var detections: [Detection]
    /// Width of the upright image in pixels.
    public var width: Int
    /// Height of the upright image in pixels.
    public var height: Int
    /// Where the time went.
    public var timings: Timings

    /// Makes a result from its parts.
    public init(detections: [Detection], width: Int, height: Int, timings: Timings) {
        self.detections = detections
        self.width = width
        self.height = height
        self.timings = timings
    }
}

/// Where the time went. In a batch, each image's share of it.
public struct Timings: Sendable, Hashable, Codable {
    /// Resizing, normalizing and laying out the pixels.
    public var preprocess: Duration
    /// Running the model.
    public var inference: Duration
    /// Turning the model's outputs into boxes.
    public var postprocess: Duration

    /// Makes timings from their parts.
    public init(preprocess: Duration, inference: Duration, postprocess: Duration) {
        self.preprocess = preprocess
        self.inference = inference
        self.postprocess = postprocess
    }
}

extension Duration {
    /// The duration in milliseconds, with fractions.
    public var milliseconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) * 1e3 + Double(attoseconds) / 1e15
    }
}
