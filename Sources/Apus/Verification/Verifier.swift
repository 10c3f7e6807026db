internal import Foundation
internal import Imaging
internal import ONNXRuntime

/// Compares what a device answers with what a reference answers, on the same pictures.
package struct Verifier {
    /// What is compared with.
    package enum Reference: String, Sendable, CaseIterable {
        /// ONNX Runtime's own CPU kernels, which share no code with OpenVINO.
        case cpu = "cpu-f32"
        /// OpenVINO's CPU device at f32.
        case openVINO = "openvino-cpu-f32"
    }

    /// A picture and what to call it.
    package typealias Picture = (name: String, image: Image)

    private struct Answer {
        var outputs: [String: [Float]]
        var detections: [Detection]
        /// With a lower threshold, to tell a lost object from one that rounding moved below it.
        var nearby: [Detection]
        var milliseconds: Double
    }

    /// How far below the threshold an object still counts as there.
    private static let margin: Float = 0.1

    private let model: Model
    private let configuration: Detector.Configuration
    private let reference: Reference

    /// - Parameter configuration: the device to judge; precision `auto` judges each that it offers.
    package init(model: Model, configuration: Detector.Configuration, reference: Reference) {
        self.model = model
        self.configuration = configuration
        self.reference = reference
    }

    /// Runs all pictures and judges.
    ///
    /// - Parameter progress: is called before each run, with what is being run.
    package func report(
        on pictures: [Picture], apusVersion: String, progress: (String) -> Void
    ) throws(ApusError) -> VerificationReport {
        let runtime = try ApusError.wrapping(doing: "verify") {
            try Runtime.load(RuntimeLocation.find(explicit: configuration.runtime))
        }
        let choice = try DeviceChoice(configuration, runtime: runtime)
        var pictures = pictures
        var expected: (detector: Detector, answers: [Answer])?
        var candidates: [VerificationReport.Candidate] = []
        var key: CompiledModelStore.Key?
        for precision in try precisions(choice, runtime) {
            var judged = configuration
            judged.precision = precision
            judged.requiresVerified = false
            judged.preparesAll = false
            judged.watchesAnswers = false  // wrong answers are what is looked for
            progress("loading the model on \(choice.device) at \(precision.rawValue)")
            let detector = try Detector(model: model, configuration: judged)
            // Every canvas is judged: where no picture goes to one, the first picture does, stretched to it.
            if expected == nil, let first = pictures.first {
                for size in detector.canvases(without: pictures.map(\.image)) {
                    let bitmap = first.image.bitmap.resized(width: size.width, height: size.height)
                    pictures.append(
                        (
                            "\(first.name) at \(size)",
                            try Image(width: size.width, height: size.height, rgb: bitmap.pixels)
                        ))
                }
            }
            let reference: (detector: Detector, answers: [Answer])
            if let expected {
                reference = expected
            } else {
                reference = try self.reference(for: detector, pictures, progress)
            }
            expected = reference
            let found = try answers(of: detector, pictures, progress)
            let candidate = try judge(detector, precision, found, reference, pictures, progress)
            candidates.append(candidate)
            key = detector.key
            try VerdictStore(folder: configuration.verdicts).store(
                VerificationStatus(
                    state: candidate.passed ? .yes : .no, date: Date().formatted(.iso8601),
                    summary: candidate.passed
                        ? "\(pictures.count) pictures agree with \(self.reference.rawValue)"
                        : candidate.failures.joined(separator: "; ")), for: detector.key)
        }
        let fastest = candidates.filter(\.passed).min { $0.millisecondsPerImage < $1.millisecondsPerImage }
        return VerificationReport(
            model: model.name, modelSha256: key?.model ?? "", device: choice.device,
            deviceName: choice.deviceName ?? "",
            driver: choice.driver ?? "", onnxruntimeVersion: runtime.version, openvinoVersion: key?.openVINO ?? "",
            apusVersion: apusVersion, cpu: (try? runtime.openVINO().device("CPU").fullName) ?? "",
            reference: reference.rawValue,
            referenceMillisecondsPerImage: (expected?.answers ?? []).map(\.milliseconds).median,
            images: pictures.map(\.name), threshold: configuration.threshold,
            objects: (expected?.answers ?? []).reduce(0) { $0 + $1.detections.count }, candidates: candidates,
            fastest: fastest?.precision)
    }

    /// The reference's answers to what the device is given: on the same canvases, as padding has an effect of its own.
    private func reference(
        for candidate: Detector, _ pictures: [Picture], _ progress: (String) -> Void
    ) throws(ApusError) -> (Detector, [Answer]) {
        var trusted = configuration
        trusted.device = .cpu
        trusted.provider = reference == .cpu ? .cpu : .openVINO
        trusted.precision = reference == .cpu ? .auto : .f32
        let canvases = candidate.execution.canvases
        trusted.shapes = canvases.isEmpty ? .exact : .canvases(canvases)
        trusted.requiresVerified = false
        trusted.preparesAll = false
        progress("loading the reference")
        let detector = try Detector(model: model, configuration: trusted)
        return (detector, try answers(of: detector, pictures, progress))
    }

    /// What is to be judged; what is the reference itself is left out, as it would always pass.
    private func precisions(_ choice: DeviceChoice, _ runtime: Runtime) throws(ApusError) -> [Precision] {
        var precisions: [Precision]
        switch choice.provider {
        case .cpu: precisions = reference == .cpu ? [] : [.auto]
        case .openVINO:
            precisions = [configuration.precision]
            if configuration.precision == .auto {
                precisions = try ApusError.wrapping(doing: "verify") {
                    DeviceChoice.precisions(of: try runtime.openVINO().device(choice.device))
                }
            }
            if choice.device == "CPU", reference == .openVINO { precisions.removeAll { $0 == .f32 } }
        }
        guard !precisions.isEmpty else {
            throw ApusError(
                .option, doing: "verify", cause: "the reference \(reference.rawValue) would be compared with itself",
                remedy: "Name another --reference, --device or --precision.")
        }
        return precisions
    }

    private func answers(
        of detector: Detector, _ pictures: [Picture], _ progress: (String) -> Void
    ) throws(ApusError) -> [Answer] {
        var answers: [Answer] = []
        for (name, image) in pictures {
            progress("running \(name) on \(detector.execution.device)")
            // The first run of a size may include what later ones do not, so it is not timed.
            let first = try detector.answer(image, threshold: configuration.threshold)
            let timed = try detector.answer(image, threshold: max(0, configuration.threshold - Verifier.margin))
            answers.append(
                Answer(
                    outputs: try floats(first.outputs), detections: first.detections, nearby: timed.detections,
                    milliseconds: timed.inference.milliseconds))
        }
        return answers
    }

    private func floats(_ outputs: [String: Tensor]) throws(ApusError) -> [String: [Float]] {
        try ApusError.wrapping(doing: "verify") {
            try outputs.filter { $0.value.isFloatingPoint }.mapValues { try $0.withFloats { $0 } }
        }
    }

    private func judge(
        _ detector: Detector, _ precision: Precision, _ found: [Answer],
        _ reference: (detector: Detector, answers: [Answer]), _ pictures: [Picture], _ progress: (String) -> Void
    ) throws(ApusError) -> VerificationReport.Candidate {
        let expected = reference.answers
        var result = VerificationReport.Candidate(
            precision: precision, passed: false, failures: [], lost: 0, added: 0, moved: 0, matched: 0, borderline: 0,
            largestScoreDrift: 0, meanScoreDrift: 0, leastOverlap: 1,
            outputs: VerificationTolerance.compare(expected.map(\.outputs), found.map(\.outputs)),
            tolerance: VerificationTolerance(precision), millisecondsPerImage: found.map(\.milliseconds).median,
            provider: detector.execution.provider, nodes: detector.execution.nodes)
        let tolerance = result.tolerance
        if !result.outputs.values.allSatisfy(tolerance.allows) {
            var shaken: [[String: [Float]]] = []
            for (name, image) in pictures {
                progress("measuring how sensitive the network is, with \(name)")
                let answer = try reference.detector.answer(
                    image, threshold: configuration.threshold, shaking: VerificationTolerance.rounding(of: precision))
                shaken.append(try floats(answer.outputs))
            }
            result.tolerance.raise(for: VerificationTolerance.compare(expected.map(\.outputs), shaken).values)
        }
        var drift: Float = 0
        for (reference, candidate) in zip(expected, found) {
            let match = DetectionMatch(reference: reference.detections, candidate: candidate.detections)
            for pair in match.pairs {
                let moved = abs(pair.reference.score - pair.candidate.score)
                drift += moved
                result.largestScoreDrift = max(result.largestScoreDrift, moved)
                result.leastOverlap = min(result.leastOverlap, pair.overlap)
                if pair.overlap < tolerance.overlap { result.moved += 1 }
            }
            result.matched += match.pairs.count
            // Lost and added only if the other does not see them just below the threshold either.
            let lost = DetectionMatch(reference: match.lost, candidate: candidate.nearby).lost.count
            let added = DetectionMatch(reference: match.added, candidate: reference.nearby).lost.count
            result.lost += lost
            result.added += added
            result.borderline += match.lost.count + match.added.count - lost - added
        }
        result.meanScoreDrift = result.matched == 0 ? 0 : drift / Float(result.matched)
        result.failures = failures(result)
        result.passed = result.failures.isEmpty
        return result
    }

    private func failures(_ result: VerificationReport.Candidate) -> [String] {
        let tolerance = result.tolerance
        var failures: [String] = []
        func require(_ holds: Bool, _ text: @autoclosure () -> String) {
            if !holds { failures.append(text()) }
        }
        for (name, output) in result.outputs.sorted(by: { $0.key < $1.key }) {
            require(
                output.largestDifference <= tolerance.difference * output.scale,
                output.largestDifference.isFinite
                    ? "\(name) is off by up to \(short(output.largestDifference)) of values up to \(short(output.scale))"
                    : "\(name) holds values that are no numbers")
            require(
                output.correlation >= tolerance.correlation,
                "\(name) correlates with the reference's by \(short(output.correlation)) only")
        }
        require(result.lost == 0, "\(result.lost) objects are lost")
        require(result.added == 0, "\(result.added) objects are made up")
        require(result.moved == 0, "\(result.moved) boxes moved")
        require(
            result.largestScoreDrift <= tolerance.score, "a score drifts by \(short(Double(result.largestScoreDrift)))")
        return failures
    }

    private func short(_ value: Double) -> String { String(format: "%.3g", value) }
}

extension VerificationTolerance {
    /// Output by output, over all pictures.
    fileprivate static func compare(
        _ reference: [[String: [Float]]], _ candidate: [[String: [Float]]]
    ) -> [String: OutputComparison] {
        var comparisons: [String: OutputComparison] = [:]
        for (expected, found) in zip(reference, candidate) {
            for (name, values) in expected {
                comparisons[name, default: OutputComparison()].add(reference: values, candidate: found[name] ?? [])
            }
        }
        return comparisons
    }
}

extension [Double] {
    /// The middle one; 0 of none.
    package var median: Double {
        guard !isEmpty else { return 0 }
        let sorted = sorted()
        return count.isMultiple(of: 2) ? (sorted[count / 2 - 1] + sorted[count / 2]) / 2 : sorted[count / 2]
    }
}
