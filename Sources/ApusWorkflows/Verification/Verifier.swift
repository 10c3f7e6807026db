public import Apus
internal import Engine
internal import Foundation
internal import Imaging
internal import Remedies

/// Compares a device's results with a reference's, on the same images.
///
/// ```swift
/// let verifier = Verifier(model: try .named("detr-r50"), configuration: .init(device: .gpu(nil)))
/// let report = try await verifier.verify(try [Image(contentsOfFile: "street.jpg")])
/// print(report.fastest?.rawValue ?? "no precision passes")
/// ```
///
/// The verdict is stored: from then on `Detector.execution.verification` reports it, and `Configuration.requiresVerified`
/// enforces it.
public struct Verifier: Sendable {

    /// An image and its name.
    package typealias Picture = (name: String, image: Image)

    struct Answer {
        var outputs: [String: [Float]]
        var detections: [Detection]
        /// Why no detections can be read from the outputs; nil if they can.
        var unreadable: String?
        /// Detections at a lower threshold, to distinguish a lost object from one that rounding moved below it.
        var nearby: [Detection]
        var milliseconds: Double
    }

    /// How far below the threshold an object still counts as found.
    private static let margin: Float = 0.1

    private let model: Model
    private let configuration: Detector.Configuration
    private let reference: VerificationReference

    /// - Parameters:
    ///   - model: the demo model by default.
    ///   - configuration: the device to verify; precision `auto` verifies each that it offers.
    ///   - reference: what to compare with.
    public init(
        model: Model = .demo, configuration: Detector.Configuration = Detector.Configuration(),
        reference: VerificationReference = .cpu
    ) {
        self.model = model
        self.configuration = configuration
        self.reference = reference
    }

    /// Runs all images on the reference and on the device and compares the results, without blocking the caller's executor.
    ///
    /// Loads the model once and runs each image twice, for the reference and for each precision.
    ///
    /// - Parameters:
    ///   - images: photographs like those that the model will see; the more objects, the better the verdict.
    ///   - progress: called before each run with its description, on the thread that runs it.
    /// - Throws: `ApusError` if the model doesn't load or the reference fails. A device that fails is in the report.
    public func verify(
        _ images: [Image], progress: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> VerificationReport {
        let pictures = images.enumerated().map { (name: "image \($0 + 1)", image: $1) }
        return try await RunCancellation.detached { _ in try self.report(on: pictures, progress: progress) }
    }

    /// Runs all images and compares the results, on the calling thread.
    ///
    /// - Parameter progress: called before each run with its description.
    package func report(
        on pictures: [Picture], progress: (String) -> Void
    ) throws(ApusError) -> VerificationReport {
        let engine = try ApusError.wrapping(doing: "verify") { try Engines.load(from: configuration.runtime) }
        let choice = try DeviceChoice(configuration, engine: engine)
        var trial = Trial(pictures: pictures)
        for precision in try precisions(choice, engine) {
            progress("loading the model on \(choice.device) at \(precision.rawValue)")
            let detector: Detector
            do {
                detector = try candidate(precision)
            } catch  where error.mayBeThePrecision {
                trial.candidates.append(.failed(precision, error))
                continue
            }
            let reference: Trusted
            if let known = trial.reference {
                reference = known
            } else {
                trial.pictures += try stretched(pictures, for: detector)
                trial.notes += detector.canvases(without: trial.pictures.map(\.image)).map {
                    "no image uses the canvas \($0), so it wasn't verified"
                }
                reference = try trusted(for: detector, trial.pictures, progress)
                trial.reference = reference
            }
            trial.key = detector.key
            trial.candidates.append(try judged(detector, precision, reference, &trial, progress))
        }
        return report(of: trial, choice, engine)
    }

    /// The state so far.
    private struct Trial {
        var pictures: [Picture]
        var reference: Trusted?
        var candidates: [VerificationReport.Candidate] = []
        var key: CompiledModelStore.Key?
        var notes: [String] = []
    }

    /// Compares a detector with the reference, and stores the verdict.
    private func judged(
        _ detector: Detector, _ precision: Precision, _ reference: Trusted, _ trial: inout Trial,
        _ progress: (String) -> Void
    ) throws(ApusError) -> VerificationReport.Candidate {
        let pictures = trial.pictures
        var result: VerificationReport.Candidate
        do {
            let found = try answers(of: detector, pictures, progress)
            result = try VerificationReport.Candidate(precision, found, expected: reference.answers) {
                () throws(ApusError) in
                try perturbed(precision, reference, pictures, progress)
            }
        } catch  where error.mayBeThePrecision {
            result = .failed(precision, error)
        }
        result.provider = detector.execution.provider
        result.nodes = detector.execution.nodes
        // If it couldn't be judged, its outputs are neither right nor wrong.
        guard result.error == nil else { return result }
        do {
            try keep(result, on: pictures.count, for: detector.key)
        } catch {
            trial.notes.append(error.description.replacing("\n", with: ": "))
        }
        return result
    }

    private func report(of trial: Trial, _ choice: DeviceChoice, _ engine: any Engine) -> VerificationReport {
        let fastest = trial.candidates.filter(\.passed).min { $0.millisecondsPerImage < $1.millisecondsPerImage }
        let trusted = trial.reference?.answers ?? []
        let catalog = try? engine.openVINO(doing: "name the CPU")
        return VerificationReport(
            model: model.name, modelSha256: trial.key?.model ?? "", device: choice.device,
            deviceName: choice.deviceName ?? "", driver: choice.driver ?? "", onnxruntimeVersion: engine.version,
            openvinoVersion: trial.key?.openVINO ?? "", apusVersion: Apus.version,
            cpu: catalog?.device("CPU").fullName ?? "", reference: reference.rawValue,
            referenceMillisecondsPerImage: trusted.map(\.milliseconds).median, images: trial.pictures.map(\.name),
            threshold: configuration.threshold, objects: trusted.reduce(0) { $0 + $1.detections.count },
            candidates: trial.candidates, fastest: fastest?.precision, notes: trial.notes)
    }

    private typealias Trusted = (detector: Detector, answers: [Answer])

    private func candidate(_ precision: Precision) throws(ApusError) -> Detector {
        var judged = configuration
        judged.precision = precision
        judged.requiresVerified = false
        judged.preparation = .whenNeeded
        judged.watchesAnswers = false  // wrong outputs are the subject of the comparison
        return try Detector(model: model, configuration: judged)
    }

    /// Every canvas is verified: if no image uses one, the first image is stretched to it.
    private func stretched(_ pictures: [Picture], for detector: Detector) throws(ApusError) -> [Picture] {
        guard let first = pictures.first else { return [] }
        return try detector.canvases(without: pictures.map(\.image)).map { size throws(ApusError) in
            let bitmap = first.image.bitmap.resized(width: size.width, height: size.height)
            return (
                "\(first.name) at \(size)", try Image(width: size.width, height: size.height, rgb: bitmap.pixels)
            )
        }
    }

    private func keep(
        _ result: VerificationReport.Candidate, on count: Int, for key: CompiledModelStore.Key
    ) throws(ApusError) {
        try VerdictStore(folder: configuration.verdicts).store(
            VerificationStatus(
                state: result.passed ? .yes : .no, date: Date().formatted(.iso8601),
                summary: result.passed
                    ? "\(count) images agree with \(reference.rawValue)" : result.failures.joined(separator: "; ")),
            for: key)
    }

    /// The reference's results for the device's inputs: on the same canvases, as padding has an effect of its own.
    private func trusted(
        for candidate: Detector, _ pictures: [Picture], _ progress: (String) -> Void
    ) throws(ApusError) -> Trusted {
        var trusted = configuration
        trusted.device = .cpu
        trusted.provider = reference == .cpu ? .cpu : .openVINO
        trusted.precision = reference == .cpu ? .auto : .f32
        let canvases = candidate.execution.canvases
        trusted.shapes = canvases.isEmpty ? .exact : .canvases(canvases)
        trusted.requiresVerified = false
        trusted.preparation = .whenNeeded
        trusted.watchesAnswers = true
        progress("loading the reference")
        let detector = try Detector(model: model, configuration: trusted)
        let answers = try answers(of: detector, pictures, progress)
        if let unreadable = answers.lazy.compactMap(\.unreadable).first {
            throw ApusError(
                .inference, doing: "read the outputs of the reference \(reference.rawValue)", cause: unreadable,
                remedy: "The model itself is at fault, or the runtime: try another \(setting: .reference).")
        }
        return (detector, answers)
    }

    /// The precisions to verify, without the reference itself, which would always pass.
    private func precisions(_ choice: DeviceChoice, _ engine: any Engine) throws(ApusError) -> [Precision] {
        var precisions: [Precision]
        switch choice.target {
        case .ownKernels: precisions = reference == .cpu ? [] : [.auto]
        case .openVINO:
            precisions = [configuration.precision]
            if configuration.precision == .auto {
                precisions = try ApusError.wrapping(doing: "verify") {
                    DeviceChoice.precisions(of: try engine.openVINO(doing: "verify").device(choice.device))
                }
            }
            if choice.device == "CPU", reference == .openVINO { precisions.removeAll { $0 == .f32 } }
        }
        guard !precisions.isEmpty else {
            throw ApusError(
                .option, doing: "verify", cause: "the reference \(reference.rawValue) would be compared with itself",
                remedy: "Use another \(setting: .reference), \(setting: .device) or \(setting: .precision).")
        }
        return precisions
    }

    private func answers(
        of detector: Detector, _ pictures: [Picture], _ progress: (String) -> Void
    ) throws(ApusError) -> [Answer] {
        var answers: [Answer] = []
        for (name, image) in pictures {
            progress("running \(name) on \(detector.execution.device)")
            // The first run of a size may include one-time work, so it isn't timed.
            let first = try detector.answer(image, threshold: configuration.threshold)
            let timed = try detector.answer(image, threshold: max(0, configuration.threshold - Verifier.margin))
            answers.append(
                Answer(
                    outputs: try floats(first.outputs), detections: (try? first.detections.get()) ?? [],
                    unreadable: first.failure ?? timed.failure, nearby: (try? timed.detections.get()) ?? [],
                    milliseconds: timed.inference.milliseconds))
        }
        return answers
    }

    private func floats(_ outputs: [String: Tensor]) throws(ApusError) -> [String: [Float]] {
        try ApusError.wrapping(doing: "verify") {
            try outputs.filter { $0.value.isFloatingPoint }.mapValues { try $0.withFloats { Array($0) } }
        }
    }

    /// The effect on the reference's outputs of moving only the pixels, by half a unit in the precision's last place.
    private func perturbed(
        _ precision: Precision, _ reference: Trusted, _ pictures: [Picture], _ progress: (String) -> Void
    ) throws(ApusError) -> [String: OutputComparison] {
        var perturbed: [[String: [Float]]] = []
        for (name, image) in pictures {
            progress("measuring how sensitive the network is, with \(name)")
            let answer = try reference.detector.answer(
                image, threshold: configuration.threshold, perturbation: OutputLimits.rounding(of: precision))
            perturbed.append(try floats(answer.outputs))
        }
        return OutputComparison.compare(reference.answers.map(\.outputs), perturbed)
    }
}

extension VerificationReport.Candidate {
    fileprivate static func failed(_ precision: Precision, _ error: ApusError) -> Self {
        var candidate = VerificationReport.Candidate(precision)
        candidate.error = error.description
        candidate.failures = ["it does not run: \(error.cause)"]
        return candidate
    }
}

extension ApusError {
    /// Whether another precision may work where this one failed; false if the model, an option or the runtime is at fault.
    fileprivate var mayBeThePrecision: Bool { [.device, .inference, .deviceFault].contains(code) }
}

extension RawAnswer {
    fileprivate var failure: String? {
        if case .failure(let error) = detections { error.cause } else { nil }
    }
}

extension [Double] {
    /// The middle value; 0 if empty.
    package var median: Double {
        guard !isEmpty else { return 0 }
        let sorted = sorted()
        return count.isMultiple(of: 2) ? (sorted[count / 2 - 1] + sorted[count / 2]) / 2 : sorted[count / 2]
    }
}
