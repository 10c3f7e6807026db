internal import Engine
internal import ONNX

/// A family of your own: how to prepare inputs for a model that Apus doesn't know, and how to turn its outputs into detections.
///
/// ```swift
/// let family = CustomFamily(
///     name: "squares", resize: .letterbox(to: PixelSize(width: 640, height: 640), anchor: .center),
///     outputs: ["boxes"]
/// ) { outputs, placements, threshold in
///     try outputs.withFloats("boxes", rank: 3) { values, shape in
///         placements.indices.map { image in
///             let coding = BoxCoding(.corners, .canvasPixels)
///             return (0..<shape[1]).compactMap { row in
///                 let start = (image * shape[1] + row) * 6
///                 guard values[start + 4] > threshold else { return nil }
///                 return Detection(
///                     score: values[start + 4], label: Int(values[start + 5]), category: nil,
///                     box: coding.box(
///                         values[start], values[start + 1], values[start + 2], values[start + 3],
///                         in: placements[image]))
///             }
///         }
///     }
/// }
/// ```
///
/// Pass it as `Detector.Configuration.customFamily`. Nothing is recognized then: what the model's file states about its family is
/// ignored.
public struct CustomFamily: Sendable {
    /// Turns outputs into detections: one list per placement, best first, with scores above the threshold.
    ///
    /// Outputs may have more rows than there are placements, if a batch was filled up.
    public typealias Decoder =
        @Sendable (_ outputs: ModelOutputs, _ placements: [Placement], _ threshold: Float) throws -> [[Detection]]

    /// The family's name in reports.
    public var name: String
    /// How an image is brought to the model's size.
    public var resize: ResizePolicy
    /// How its resized pixels are computed.
    public var interpolation: PixelInterpolation
    /// How bytes are converted.
    public var format: PixelFormat
    /// The input [batch, 2] of i64 for the width and height of each original image; nil for none.
    public var originalSizes: String?
    /// The outputs to compute.
    public var outputs: [String]
    /// The names of the classes.
    public var labels: LabelMap?
    /// Turns outputs into detections.
    public var decoder: Decoder

    /// Makes a family from its parts. The images must be the model's only input with four dimensions.
    public init(
        name: String, resize: ResizePolicy, interpolation: PixelInterpolation = .pillow,
        format: PixelFormat = .unitScaled, originalSizes: String? = nil, outputs: [String],
        labels: LabelMap? = nil, decoder: @escaping Decoder
    ) {
        self.name = name
        self.resize = resize
        self.interpolation = interpolation
        self.format = format
        self.originalSizes = originalSizes
        self.outputs = outputs
        self.labels = labels
        self.decoder = decoder
    }
}

/// A custom family applied to a model.
struct CustomAdapter: ModelAdapter {
    let assumptions: [String] = []
    let classCount: Int
    let labels: LabelMap?
    let inputs: ModelInputs
    let padding: PaddedShapes? = nil
    let maxInputSide: Int?
    let outputNames: [String]
    private let decoder: CustomFamily.Decoder

    init(_ family: CustomFamily, _ model: ModelDescription) throws(ApusError) {
        func mismatch(_ cause: String) -> ApusError {
            ApusError(
                .notADetector, doing: "use \(model.title) as \(family.name)", cause: cause,
                remedy:
                    "Adapt the CustomFamily to the model. Its inputs are \(model.inputs.map(\.description).joined(separator: "; ")), its outputs "
                    + "\(model.outputs.map(\.description).joined(separator: "; ")).")
        }
        let images = model.inputs.filter { $0.dimensions.count == 4 }
        guard images.count == 1, let pixels = images.first else {
            throw mismatch("it has \(images.count) inputs with four dimensions instead of one")
        }
        if let missing = family.outputs.first(where: { name in !model.outputs.contains { $0.name == name } }) {
            throw mismatch("it has no output \(missing)")
        }
        var auxiliary: [ModelInputs.Auxiliary] = []
        if let name = family.originalSizes {
            guard let sizes = model.inputs.first(where: { $0.name == name }), sizes.elementType == .int64 else {
                throw mismatch("it has no input \(name) of i64")
            }
            auxiliary.append(.init(sizes, .originalSizes))
        }
        if let other = model.inputs.first(where: { $0.name != pixels.name && $0.name != family.originalSizes }) {
            throw mismatch("the family does not define its input \(other)")
        }
        inputs = try ModelInputs(
            pixels: pixels, auxiliary: auxiliary, resize: family.resize, interpolation: family.interpolation,
            format: family.format)
        classCount = family.labels?.names.count ?? 0
        labels = family.labels
        let rows = family.format.layout == .nchw ? 2 : 1
        let sides = pixels.dimensions[rows...(rows + 1)].map(\.size)
        maxInputSide = sides.contains(nil) ? ModelMetadata.maxSide : nil
        outputNames = family.outputs
        decoder = family.decoder
    }

    func detections(
        in outputs: ModelOutputs, placements: [Placement], options: DecodingOptions
    ) throws -> [[Detection]] {
        let found = try decoder(outputs, placements, options.threshold)
        guard found.count == placements.count else {
            throw ApusError(
                .inference, doing: "decode the model's outputs",
                cause: "the decoder returned \(found.count) lists of detections for \(placements.count) images",
                remedy: "Return one list per placement.")
        }
        return found
    }
}
