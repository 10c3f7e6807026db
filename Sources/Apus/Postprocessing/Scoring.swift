internal import Foundation

/// How a row of class logits becomes scores.
public enum Scoring {
    /// The most likely class except the last, which is "no object", and its share of the softmax over all (DETR,
    /// `models/detr.py`, `PostProcess`).
    public static func softmaxDroppingLast(_ logits: some RandomAccessCollection<Float>) -> (label: Int, score: Float) {
        var best = (label: 0, logit: -Float.infinity)
        for (label, logit) in logits.dropLast().enumerated() where logit > best.logit { best = (label, logit) }
        let top = max(best.logit, logits.last ?? best.logit)
        let sum = logits.reduce(Float(0)) { $0 + exp($1 - top) }
        return (best.label, exp(best.logit - top) / sum)
    }

    /// 1 / (1 + e^-x), without overflow on either side.
    public static func sigmoid(_ logit: Float) -> Float {
        if logit >= 0 { return 1 / (1 + exp(-logit)) }
        let power = exp(logit)
        return power / (1 + power)
    }

    /// The logit whose sigmoid is `score`: comparing logits with it saves a sigmoid per value.
    public static func logit(_ score: Float) -> Float { log(score / (1 - score)) }
}
