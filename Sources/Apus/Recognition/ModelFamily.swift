internal import Engine

/// A kind of detection model that Apus recognizes.
///
/// A new family is one file with a type of this protocol, and its line in `ModelFamilies.all`.
package protocol ModelFamily: ModelAdapter {
    /// The name that users and metadata give it, such as "detr".
    static var name: String { get }

    /// How it decodes outputs, in a phrase that lets a user tell it from others.
    static var decoding: String { get }

    /// Its inputs and outputs, for the error that a model has others.
    static var expectation: String { get }

    /// Values of `model_type` in Hugging Face's `config.json` that mean this family.
    static var modelTypes: [String] { get }

    /// Whether a model is of this family, by its graph alone.
    static func claim(_ model: ModelDescription) -> FamilyClaim

    /// The family as this model needs it.
    ///
    /// - Throws: `ApusError` with code `notADetector` if the model's inputs and outputs aren't this family's, `model` if it
    ///   can't be used.
    init(_ model: ModelDescription) throws(ApusError)
}

/// What a detection model is given, and how its outputs become boxes.
package protocol ModelAdapter: Sendable {
    /// What nothing told and was assumed, one sentence each.
    var assumptions: [String] { get }

    /// How many classes the model tells apart; 0 if its file does not say.
    var classCount: Int { get }

    /// The class names, if the model or a file next to it gives them, or the family has some for this number of classes.
    var labels: LabelMap? { get }

    /// What the model is given.
    var inputs: ModelInputs { get }

    /// How the model can be given static shapes; nil if its sizes are fixed already, or nothing marks padding for it.
    var padding: PaddedShapes? { get }

    /// The longest side, in pixels, of the images that the model is given; nil if its file fixes their size.
    var maxInputSide: Int? { get }

    /// The outputs that detections are read from; others are not computed.
    var outputNames: [String] { get }

    /// What the model found in each image, best first. Outputs may have more rows than there are placements: the rest is a
    /// batch's filling.
    func detections(
        in outputs: ModelOutputs, placements: [Placement], options: DecodingOptions
    ) throws -> [[Detection]]
}

/// What a caller decides about detections.
package struct DecodingOptions: Sendable, Hashable {
    /// Detections with a higher score are reported.
    package var threshold: Float

    package init(threshold: Float) { self.threshold = threshold }
}

/// What a family makes of a model's graph.
package enum FamilyClaim: Sendable, Equatable {
    /// No other family has this signature. The evidence is a phrase.
    case certain(evidence: String)
    /// The shapes fit; those of others do too.
    case possible
    /// It can't be decoded so.
    case never(why: String)
    /// The shapes don't fit.
    case unrelated
}

/// A shape that a model is compiled for.
package struct Canvas: Hashable, Sendable {
    package var size: PixelSize
    package var batch: Int

    package init(size: PixelSize, batch: Int) {
        self.size = size
        self.batch = batch
    }
}

/// How a model that takes any size is compiled for a few: images are padded to the next larger canvas.
package struct PaddedShapes: Sendable {
    /// The model's names of its open dimensions.
    package var batch: String?
    package var height: String
    package var width: String
    /// Sizes that together hold every image, the smallest first.
    package var canvases: [PixelSize]
}
