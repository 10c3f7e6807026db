public import Apus

/// The result of comparing a device with the reference.
public struct VerificationReport: Sendable, Encodable {
    /// The findings for one precision of the device.
    public struct Candidate: Sendable, Encodable {
        /// The precision of the device.
        public var precision: Precision
        /// Whether everything was within its limits.
        public var passed = false
        /// Why it failed, one sentence each.
        public var failures: [String] = []
        /// Why it did not run; nil if it did. If set, the findings below are empty.
        public var error: String?
        /// Objects that the reference finds and the candidate does not.
        public var lost = 0
        /// Objects that the candidate finds and the reference does not.
        public var added = 0
        /// Matched objects whose boxes overlap less than `VerificationTolerance.overlap`.
        public var moved = 0
        /// Objects that both find.
        public var matched = 0
        /// Objects so near the threshold that rounding decides whether they are reported; not counted as lost or added.
        public var borderline = 0
        /// The largest difference of scores of matched objects; 0 if there are none.
        public var largestScoreDrift: Float = 0
        /// The mean difference of scores of matched objects; 0 if there are none.
        public var meanScoreDrift: Float = 0
        /// The min intersection over union of matched objects; 1 if there are none.
        public var leastOverlap: Float = 1
        /// How the outputs differ, by their names.
        public var outputs: [String: OutputComparison] = [:]
        /// The limits applied, by output name.
        public var limits: [String: OutputLimits] = [:]
        /// How far detections may be off at this precision.
        public var tolerance: VerificationTolerance
        /// Median inference time per image.
        public var millisecondsPerImage = 0.0
        /// What ran the model, such as "OpenVINOExecutionProvider".
        public var provider = ""
        /// How many of the model's nodes each provider took; nil if the runtime can't report it.
        public var nodes: [String: Int]?

        init(_ precision: Precision) {
            self.precision = precision
            tolerance = VerificationTolerance(precision)
        }
    }

    /// The version of this format; it changes when fields change.
    public var format = 1
    /// The model's name in reports.
    public var model: String
    /// The SHA-256 of the model's files.
    public var modelSha256: String
    /// OpenVINO's name of the device, such as "GPU.0".
    public var device: String
    /// The device's full name; empty if it has none.
    public var deviceName: String
    /// The device driver's version; empty if it has none.
    public var driver: String
    /// The version of the runtime.
    public var onnxruntimeVersion: String
    /// OpenVINO's build; empty if the runtime has none.
    public var openvinoVersion: String
    /// The version of Apus.
    public var apusVersion: String
    /// The name of this machine's CPU.
    public var cpu: String
    /// The reference, such as "cpu-f32".
    public var reference: String
    /// The reference's median inference time per image.
    public var referenceMillisecondsPerImage: Double
    /// The names of the images.
    public var images: [String]
    /// Detections with a score above this were compared.
    public var threshold: Float
    /// Objects that the reference finds in all images.
    public var objects: Int
    /// The device at each precision that was tested.
    public var candidates: [Candidate]
    /// The fastest precision that passes; nil if none does.
    public var fastest: Precision?
    /// Other problems, one sentence each.
    public var notes: [String]
}

/// How far detections may be off.
public struct VerificationTolerance: Sendable, Encodable {
    /// The max drift of a matched object's score.
    public var score: Float
    /// The min intersection over union of a matched object's boxes.
    public var overlap: Float

    init(_ precision: Precision) {
        switch precision {
        case .auto, .f32: (score, overlap) = (0.01, 0.98)
        case .f16: (score, overlap) = (0.05, 0.9)
        case .bf16: (score, overlap) = (0.10, 0.8)
        }
    }
}

/// How far the values of an output may be off.
///
/// A device computes the same network in another order and precision, so its numbers differ by rounding; a broken one is off by
/// the size of the numbers themselves, and its outputs don't correlate. The limits lie between. With the demo model, OpenVINO's
/// CPU differs from ONNX Runtime's by 5e-6 of the largest logit at f32, and by 0.02 at bf16.
///
/// Some networks, above all those with random weights, amplify rounding. The amplification is measured: the reference runs again
/// with its pixels moved by half a unit in the precision's last place. A device rounds at each of a hundred operators, so
/// `sensitivity` times that effect is allowed, but never more than half of the scale, nor a correlation below 0.9.
public struct OutputLimits: Sendable, Encodable, Equatable {
    /// The max difference of a value, relative to the largest value.
    public private(set) var difference: Double
    /// The min correlation.
    public private(set) var correlation: Double
    /// Whether these were raised because the network amplifies rounding of its input.
    public private(set) var isRaised = false

    /// The allowed multiple of the effect of one rounding.
    private static let sensitivity = 32.0

    package init(_ precision: Precision) {
        switch precision {
        case .auto, .f32: (difference, correlation) = (0.005, 0.9999)
        case .f16: (difference, correlation) = (0.05, 0.999)
        case .bf16: (difference, correlation) = (0.10, 0.999)
        }
    }

    /// Half a unit in the last place of a number's significand, relative to the number: 24, 11 and 8 bits. For f32 a whole unit,
    /// as half of one can't be added to an f32.
    static func rounding(of precision: Precision) -> Float {
        switch precision {
        case .auto, .f32: 0x1p-23
        case .f16: 0x1p-11
        case .bf16: 0x1p-8
        }
    }

    package func allows(_ output: OutputComparison) -> Bool {
        output.largestDifference <= difference * output.scale && output.correlation >= correlation
    }

    /// Allows for the effect that moving only the pixels has on the reference's own output.
    package mutating func raise(for shaken: OutputComparison) {
        guard shaken.scale > 0 else { return }
        let share = min(shaken.largestDifference * OutputLimits.sensitivity / shaken.scale, 0.5)
        // 1 - correlation grows with the square of a difference.
        let drop = (1 - shaken.correlation) * OutputLimits.sensitivity * OutputLimits.sensitivity
        if share > difference { (difference, isRaised) = (share, true) }
        if 1 - drop < correlation { (correlation, isRaised) = (max(0.9, 1 - drop), true) }
    }
}
