/// Greedy non-maximum suppression: of detections that overlap by more than a limit, the best stays.
///
/// As `torchvision.ops.nms` and OpenCV's `NMSBoxes`: in order of scores; dropped is what has an IoU above the limit with one
/// that was kept.
public struct NonMaxSuppression: Sendable, Hashable {
    /// 0 to 1. Boxes of just this overlap both stay.
    public var maxIoU: Float
    /// Whether only detections of one class suppress each other.
    public var isPerClass: Bool
    /// The maximum number of detections that are kept.
    public var maxDetections: Int
    /// The maximum number of detections, the best, that are compared: the work grows with the product of the two.
    public var maxCandidates: Int

    /// Suppresses overlaps above `maxIoU`, 0 to 1.
    public init(maxIoU: Float, isPerClass: Bool = true, maxDetections: Int = 300, maxCandidates: Int = 30_000) {
        self.maxIoU = maxIoU
        self.isPerClass = isPerClass
        self.maxDetections = maxDetections
        self.maxCandidates = maxCandidates
    }

    /// The detections that stay, best first.
    public func kept(of detections: [Detection]) -> [Detection] {
        let order = detections.indices.sorted {
            (detections[$0].score, $1) > (detections[$1].score, $0)
        }.prefix(maxCandidates)
        var kept: [Detection] = []
        for index in order where kept.count < maxDetections {
            let candidate = detections[index]
            let isSuppressed = kept.contains {
                (!isPerClass || $0.label == candidate.label) && $0.box.iou(with: candidate.box) > maxIoU
            }
            if !isSuppressed { kept.append(candidate) }
        }
        return kept
    }
}
