package import Imaging
package import ONNXRuntime

/// What a model's file says of itself, before any picture is seen.
package struct ModelSignature: Sendable {
    package var inputs: [ValueInfo]
    package var outputs: [ValueInfo]
    package var metadata: [String: String]

    package init(inputs: [ValueInfo], outputs: [ValueInfo], metadata: [String: String]) {
        self.inputs = inputs
        self.outputs = outputs
        self.metadata = metadata
    }
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

/// How a model that takes any size is compiled for a few: pictures are padded to the next larger canvas.
package struct PaddedShapes: Sendable {
    /// The model's names of its open dimensions.
    package var batch: String?
    package var height: String
    package var width: String
    /// Sizes that together hold every picture, the smallest first.
    package var canvases: [PixelSize]
}

/// A kind of detection model: how pictures become its inputs and its outputs become boxes.
///
/// A new family is one file with a type of this protocol, and its line in `ModelFamilies.all`.
package protocol ModelFamily: Sendable {
    /// The name in a model's metadata, as "detr".
    static var name: String { get }

    /// What a model of this family looks like, for the error that says why a model is none.
    static var expectation: String { get }

    /// The family as this model needs it; nil if the model is of another.
    ///
    /// - Throws: if the model says that it is of this family but cannot be used.
    static func recognize(_ model: ModelSignature) throws(ApusError) -> (any ModelFamily)?

    /// What the model did not say and was taken for granted, one sentence each.
    var assumptions: [String] { get }

    /// How many classes the model tells apart; 0 if its file does not say.
    var classCount: Int { get }

    /// The names of its classes, if the model gives them.
    var labels: LabelMap? { get }

    /// How many pictures the model takes at once; nil for any number.
    var fixedBatch: Int? { get }

    /// Whether pictures of one batch may have different sizes.
    var mixesSizes: Bool { get }

    /// Whether every picture is given to the model at one size, which its file fixes.
    var hasFixedSize: Bool { get }

    /// How the model can be given static shapes; nil if its sizes are fixed already, or nothing marks padding for it.
    var padding: PaddedShapes? { get }

    /// The longest side, in pixels, of the images that the model is given; nil if its file fixes their size.
    var maxInputSide: Int? { get }

    /// The outputs that detections are read from; others are not computed.
    var outputNames: [String] { get }

    /// The size, in pixels, at which the model sees a picture of `width` and `height`, on a canvas if one is given.
    func inputSize(width: Int, height: Int, on canvas: PixelSize?) -> PixelSize

    /// The model's inputs for pictures that were resized to what `inputSize` says: to one size, unless it mixes them. On a
    /// canvas they are padded to it, and copies of the last fill its batch.
    func inputs(for pictures: [Bitmap], on canvas: Canvas?) throws -> [String: Tensor]

    /// What the model found in each picture above the threshold; `sizes` are those of the originals.
    func detections(
        in outputs: [String: Tensor], sizes: [(width: Int, height: Int)], threshold: Float
    ) throws -> [[Detection]]
}

package enum ModelFamilies {
    package static let all: [any ModelFamily.Type] = [DETR.self]

    /// The family of a loaded model; errors name the model.
    static func recognize(_ session: Session, of model: Model) throws(ApusError) -> any ModelFamily {
        do {
            return try recognize(
                ModelSignature(inputs: session.inputs, outputs: session.outputs, metadata: session.metadata))
        } catch {
            var named = error
            named.doing = error.doing.replacing("the model", with: "the model \(model.name)", maxReplacements: 1)
            throw named
        }
    }

    /// The family of a model: as its metadata says, else by its inputs and outputs.
    package static func recognize(_ model: ModelSignature) throws(ApusError) -> any ModelFamily {
        let candidates: [any ModelFamily.Type]
        if let name = model.metadata["family"] {
            candidates = all.filter { $0.name == name }
            guard !candidates.isEmpty else {
                throw ApusError(
                    .notADetector, doing: "use the model", cause: "its metadata says it is of the family \(name)",
                    remedy: "This version of Apus knows \(all.map { $0.name }.joined(separator: ", ")).")
            }
        } else {
            candidates = all
        }
        for candidate in candidates {
            if let family = try candidate.recognize(model) { return family }
        }
        func list(_ values: [ValueInfo]) -> String { values.map(\.description).joined(separator: "; ") }
        throw ApusError(
            .notADetector, doing: "use the model",
            cause: "it is no detector that Apus knows: it takes \(list(model.inputs)) and gives \(list(model.outputs))",
            remedy: candidates.map { $0.expectation }.joined(separator: "\n"))
    }
}
