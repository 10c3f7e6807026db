/// Detections in one image by a reference and by a candidate, matched one to one by class and intersection over union.
package struct DetectionMatch: Sendable {
    package struct Pair: Sendable {
        package var reference: Detection
        package var candidate: Detection
        /// Intersection over union of the two boxes.
        package var iou: Float
    }

    package var pairs: [Pair]
    /// The reference's detections without a match.
    package var missed: [Detection]
    /// The candidate's detections without a match.
    package var spurious: [Detection]

    /// The min intersection over union of a match.
    package static let minIoU: Float = 0.5

    /// Matches the pair of one class that overlaps most first, then the next.
    package init(reference: [Detection], candidate: [Detection]) {
        var candidates: [(iou: Float, one: Int, other: Int)] = []
        for (one, expected) in reference.enumerated() {
            for (other, found) in candidate.enumerated() where expected.label == found.label {
                let iou = expected.box.iou(with: found.box)
                if iou >= DetectionMatch.minIoU { candidates.append((iou, one, other)) }
            }
        }
        var (ones, others) = (Set(reference.indices), Set(candidate.indices))
        pairs = []
        for match in candidates.sorted(by: { ($0.iou, $1.one) > ($1.iou, $0.one) })
        where ones.contains(match.one) && others.contains(match.other) {
            ones.remove(match.one)
            others.remove(match.other)
            pairs.append(
                Pair(reference: reference[match.one], candidate: candidate[match.other], iou: match.iou))
        }
        missed = ones.sorted().map { reference[$0] }
        spurious = others.sorted().map { candidate[$0] }
    }
}
