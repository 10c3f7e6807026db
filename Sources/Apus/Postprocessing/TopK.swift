/// The highest of many scores.
public enum TopK {
    /// Indices of the `count` highest of `scores` above `threshold`, best first; ties in index order.
    ///
    /// Like `torch.topk` over query x class, except that torch leaves the order of ties open.
    public static func indices(
        of scores: some RandomAccessCollection<Float>, count: Int, above threshold: Float
    ) -> [Int] {
        var candidates: [(score: Float, index: Int)] = []
        for (index, score) in scores.enumerated() where score > threshold { candidates.append((score, index)) }
        candidates.sort { ($0.score, $1.index) > ($1.score, $0.index) }
        return candidates.prefix(count).map(\.index)
    }
}
