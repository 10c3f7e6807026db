/// Detections of one picture by a reference and by a candidate, matched one to one by class and overlap.
package struct DetectionMatch: Sendable {
    package struct Pair: Sendable {
        package var reference: Detection
        package var candidate: Detection
        /// Intersection over union of the two boxes.
        package var overlap: Float
    }

    package var pairs: [Pair]
    /// The reference's that have no match.
    package var lost: [Detection]
    /// The candidate's that have no match.
    package var added: [Detection]

    /// The least overlap of a match.
    package static let leastOverlap: Float = 0.5

    /// The pair of one class that overlaps most is matched first, then the next.
    package init(reference: [Detection], candidate: [Detection]) {
        var candidates: [(overlap: Float, one: Int, other: Int)] = []
        for (one, expected) in reference.enumerated() {
            for (other, found) in candidate.enumerated() where expected.label == found.label {
                let overlap = expected.box.iou(with: found.box)
                if overlap >= DetectionMatch.leastOverlap { candidates.append((overlap, one, other)) }
            }
        }
        var (ones, others) = (Set(reference.indices), Set(candidate.indices))
        pairs = []
        for match in candidates.sorted(by: { ($0.overlap, $1.one) > ($1.overlap, $0.one) })
        where ones.contains(match.one) && others.contains(match.other) {
            ones.remove(match.one)
            others.remove(match.other)
            pairs.append(
                Pair(reference: reference[match.one], candidate: candidate[match.other], overlap: match.overlap))
        }
        lost = ones.sorted().map { reference[$0] }
        added = others.sorted().map { candidate[$0] }
    }
}
