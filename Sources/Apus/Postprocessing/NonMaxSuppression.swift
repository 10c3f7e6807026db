/// Greedy non-maximum suppression: of detections that overlap by more than a limit, the best stays.
///
/// As `torchvision.ops.nms` and OpenCV's `NMSBoxes`: in order of scores; dropped is what has an IoU above the limit with one
/// that was kept.
package struct NonMaxSuppression: Sendable, Hashable {
    /// 0 to 1. Boxes of just this overlap both stay.
    package var maxIoU: Float
    /// Whether only detections of one class suppress each other.
    package var isPerClass: Bool
    /// The maximum number of detections that are kept, and of those that are compared.
    package var maxDetections: Int
    package var maxCandidates: Int

    package init(maxIoU: Float, isPerClass: Bool = true, maxDetections: Int = 300, maxCandidates: Int = 30_000) {
        self.maxIoU = maxIoU
        self.isPerClass = isPerClass
        self.maxDetections = maxDetections
        self.maxCandidates = maxCandidates
    }

    /// The detections that stay, best first.
    package func kept(of detections: [Detection]) -> [Detection] {
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
