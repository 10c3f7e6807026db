internal import Apus
internal import Foundation

extension VerificationReport.Candidate {
    /// Judges a precision's results by the reference's for the same images.
    ///
    /// - Parameter perturbed: measures the network's sensitivity; called only if an output exceeds its limits.
    init(
        _ precision: Precision, _ found: [Verifier.Answer], expected: [Verifier.Answer],
        perturbed: () throws(ApusError) -> [String: OutputComparison]
    ) throws(ApusError) {
        self.init(precision)
        outputs = OutputComparison.compare(expected.map(\.outputs), found.map(\.outputs))
        limits = outputs.mapValues { _ in OutputLimits(precision) }
        millisecondsPerImage = found.map(\.milliseconds).median
        if !outputs.allSatisfy({ limits[$0]?.allows($1) ?? false }) {
            for (name, own) in try perturbed() { limits[name]?.raise(for: own) }
        }
        matchDetections(found, expected)
        failures = findFailures()
        if let unreadable = found.lazy.compactMap(\.unreadable).first {
            failures.insert("no detections can be read from the outputs: \(unreadable)", at: 0)
        }
        passed = failures.isEmpty
    }

    private mutating func matchDetections(_ found: [Verifier.Answer], _ expected: [Verifier.Answer]) {
        var drift: Float = 0
        for (reference, candidate) in zip(expected, found) {
            let match = DetectionMatch(reference: reference.detections, candidate: candidate.detections)
            for pair in match.pairs {
                let moved = abs(pair.reference.score - pair.candidate.score)
                drift += moved
                largestScoreDrift = max(largestScoreDrift, moved)
                leastOverlap = min(leastOverlap, pair.iou)
                if pair.iou < tolerance.overlap { self.moved += 1 }
            }
            matched += match.pairs.count
            // Only if the other doesn't see them slightly below the threshold either.
            let missed = DetectionMatch(reference: match.missed, candidate: candidate.nearby).missed.count
            let spurious = DetectionMatch(reference: match.spurious, candidate: reference.nearby).missed.count
            lost += missed
            added += spurious
            borderline += match.missed.count + match.spurious.count - missed - spurious
        }
        meanScoreDrift = matched == 0 ? 0 : drift / Float(matched)
    }

    private func findFailures() -> [String] {
        var failures: [String] = []
        func require(_ holds: Bool, _ text: @autoclosure () -> String) {
            if !holds { failures.append(text()) }
        }
        func short(_ value: Double) -> String { String(format: "%.3g", value) }
        for (name, output) in outputs.sorted(by: { $0.key < $1.key }) {
            guard let limits = limits[name] else { continue }
            require(
                output.largestDifference <= limits.difference * output.scale,
                output.largestDifference.isFinite
                    ? "\(name) is off by up to \(short(output.largestDifference)) of values up to \(short(output.scale))"
                    : "\(name) holds values that are not numbers")
            require(
                output.correlation >= limits.correlation,
                "\(name) correlates with the reference's by only \(short(output.correlation))")
        }
        require(lost == 0, "\(lost) objects are lost")
        require(added == 0, "\(added) objects are spurious")
        require(moved == 0, "\(moved) boxes moved")
        require(largestScoreDrift <= tolerance.score, "a score drifts by \(short(Double(largestScoreDrift)))")
        return failures
    }
}
