internal import Engine

/// A kind of detection model that Apus recognizes.
///
/// A new family is one file with a type that conforms to this protocol, and its line in `ModelFamilies.all`.
package protocol ModelFamily: ModelAdapter {
    /// The name in options and metadata, such as "detr".
    static var name: String { get }

    /// How it decodes outputs, in a phrase that distinguishes it from other families.
    static var decoding: String { get }

    /// Its inputs and outputs, for the error if a model has others.
    static var expectation: String { get }

    /// Values of `model_type` in Hugging Face's `config.json` that mean this family.
    static var modelTypes: [String] { get }

    /// Whether a model is of this family, judged by its graph alone.
    static func claim(_ model: ModelDescription) -> FamilyClaim

    /// Adapts the family to this model.
    ///
    /// - Throws: `ApusError` with code `notADetector` if the model's inputs and outputs aren't this family's, `model` if it can't
    ///   be used.
    init(_ model: ModelDescription) throws(ApusError)
}

/// A detection model's inputs, and how its outputs become boxes.
package protocol ModelAdapter: Sendable {
    /// What was assumed for lack of information, one sentence each.
    var assumptions: [String] { get }

    /// The number of classes; 0 if the model's file doesn't state it.
    var classCount: Int { get }

    /// The class names, if the model or a file next to it provides them, or the family has some for this number of classes.
    var labels: LabelMap? { get }

    /// The model's inputs.
    var inputs: ModelInputs { get }

    /// How the model can be compiled for static shapes; nil if its sizes are fixed already, or it has no input that marks
    /// padding.
    var padding: PaddedShapes? { get }

    /// The maximum side, in pixels, of the model's input images; nil if its file fixes their size.
    var maxInputSide: Int? { get }

    /// The outputs that detections are read from; others aren't computed.
    var outputNames: [String] { get }

    /// The detections in each image, best first. Outputs may have more rows than there are placements: the rest fills the batch.
    func detections(
        in outputs: ModelOutputs, placements: [Placement], options: DecodingOptions
    ) throws -> [[Detection]]
}

/// What the caller decides about detections.
package struct DecodingOptions: Sendable, Hashable {
    /// Detections with a score above this are reported.
    package var threshold: Float

    package init(threshold: Float) { self.threshold = threshold }
}

/// How well a model's graph matches a family.
package enum FamilyClaim: Sendable, Equatable {
    /// No other family has this signature. The evidence is a phrase.
    case certain(evidence: String)
    /// The shapes match, but other families' do too.
    case possible
    /// It can't be decoded this way.
    case never(why: String)
    /// The shapes don't match.
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

/// How a model that accepts any size is compiled for a few: images are padded to the next larger canvas.
package struct PaddedShapes: Sendable {
    /// The model's names of its open dimensions.
    package var batch: String?
    package var height: String
    package var width: String
    /// Sizes that together hold every image, smallest first.
    package var canvases: [PixelSize]
}
