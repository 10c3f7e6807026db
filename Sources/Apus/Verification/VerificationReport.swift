/// What a comparison of a device's answers with the reference's found.
package struct VerificationReport: Sendable, Encodable {
    /// What was found for one precision of the device.
    package struct Candidate: Sendable, Encodable {
        package var precision: Precision
        package var passed: Bool
        /// Why not, a sentence each.
        package var failures: [String]
        /// Objects that the reference finds and the candidate does not.
        package var lost: Int
        /// Objects that the candidate finds and the reference does not.
        package var added: Int
        /// Matched objects whose boxes overlap less than `VerificationTolerance.overlap`.
        package var moved: Int
        package var matched: Int
        /// Objects so near the threshold that rounding decides whether they are reported; not counted as lost or added.
        package var borderline: Int
        /// Of matched objects; 0 if there are none.
        package var largestScoreDrift: Float
        package var meanScoreDrift: Float
        /// Of matched objects; 1 if there are none.
        package var leastOverlap: Float
        /// By the name of the output.
        package var outputs: [String: OutputComparison]
        package var tolerance: VerificationTolerance
        /// Of the inference of a picture, the median.
        package var millisecondsPerImage: Double
        package var provider: String
        package var nodes: [String: Int]?
    }

    /// The version of this form; another means that fields have changed.
    package var format = 1
    package var model: String
    package var modelSha256: String
    package var device: String
    package var deviceName: String
    package var driver: String
    package var onnxruntimeVersion: String
    package var openvinoVersion: String
    package var apusVersion: String
    package var cpu: String
    package var reference: String
    package var referenceMillisecondsPerImage: Double
    package var images: [String]
    package var threshold: Float
    /// Objects that the reference finds in all pictures.
    package var objects: Int
    package var candidates: [Candidate]
    /// The fastest precision that passes; nil if none does.
    package var fastest: Precision?
}

/// How far answers may be off.
///
/// A device computes the same network in another order and precision, so its numbers differ by rounding; a broken one is
/// off by the size of the numbers themselves, and its answers correlate with nothing. The bounds lie between. With the demo
/// model OpenVINO's CPU differs from ONNX Runtime's by 5e-6 of the largest logit at f32, and by 0.02 at bf16.
///
/// Some networks, above all those of random weights, amplify any rounding. How much is measured: the reference is run again
/// with its pixels moved by half a unit of the precision's last place. What that alone does to the reference's answers is
/// no fault of a device, which rounds at each of a hundred operators: `sensitivity` times it is allowed, but never more
/// than half of the scale, nor a correlation below 0.9.
package struct VerificationTolerance: Sendable, Encodable {
    /// The largest difference of an output's value, as a share of the largest value.
    package var difference: Double
    /// The least correlation of each output.
    package var correlation: Double
    /// The most that the score of a matched object may drift.
    package var score: Float
    /// The least overlap of a matched object's boxes.
    package var overlap: Float
    /// Whether the first two were raised because the network amplifies any rounding of its input.
    package var isRaised = false

    /// How often the effect of one rounding may be had.
    private static let sensitivity = 32.0

    package init(_ precision: Precision) {
        switch precision {
        case .auto, .f32: self.init(difference: 0.005, correlation: 0.9999, score: 0.01, overlap: 0.98)
        case .f16: self.init(difference: 0.05, correlation: 0.999, score: 0.05, overlap: 0.9)
        case .bf16: self.init(difference: 0.10, correlation: 0.999, score: 0.10, overlap: 0.8)
        }
    }

    private init(difference: Double, correlation: Double, score: Float, overlap: Float) {
        self.difference = difference
        self.correlation = correlation
        self.score = score
        self.overlap = overlap
    }

    /// Half a unit in the last place of a number's significand, as a share of it: 24, 11 and 8 bits. Of f32 a whole one, as
    /// half of it cannot be added to an f32.
    static func rounding(of precision: Precision) -> Float {
        switch precision {
        case .auto, .f32: 0x1p-23
        case .f16: 0x1p-11
        case .bf16: 0x1p-8
        }
    }

    func allows(_ output: OutputComparison) -> Bool {
        output.largestDifference <= difference * output.scale && output.correlation >= correlation
    }

    /// Allows for what moving only the pixels does to the reference's own answers.
    mutating func raise(for shaken: some Sequence<OutputComparison>) {
        for own in shaken where own.scale > 0 {
            let share = min(own.largestDifference * VerificationTolerance.sensitivity / own.scale, 0.5)
            // 1 - correlation grows with the square of a difference.
            let drop = (1 - own.correlation) * VerificationTolerance.sensitivity * VerificationTolerance.sensitivity
            if share > difference { (difference, isRaised) = (share, true) }
            if 1 - drop < correlation { (correlation, isRaised) = (max(0.9, 1 - drop), true) }
        }
    }
}
