/// Greedy non-maximum suppression: of detections that overlap by more than a limit, the best is kept.
///
/// Works like `torchvision.ops.nms` and OpenCV's `NMSBoxes`: in order of scores, a detection is dropped if its IoU with one that
/// was kept is above the limit.
public struct NonMaxSuppression: Sendable, Hashable {
    /// 0 to 1. Boxes of exactly this overlap are both kept.
    public var maxIoU: Float
    /// Whether only detections of one class suppress each other.
    public var isPerClass: Bool
    /// Max number of detections kept.
    public var maxDetections: Int
    /// Max number of detections compared, best first: the work grows with the product of the two limits.
    public var maxCandidates: Int

    /// Suppresses overlaps above `maxIoU`, 0 to 1.
    public init(maxIoU: Float, isPerClass: Bool = true, maxDetections: Int = 300, maxCandidates: Int = 30_000) {
        self.maxIoU = maxIoU
        self.isPerClass = isPerClass
        self.maxDetections = maxDetections
        self.maxCandidates = maxCandidates
    }

    /// The detections kept, best first.
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
