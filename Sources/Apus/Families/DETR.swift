internal import Engine
internal import ONNX

/// DETR (Carion et al., 2020, arXiv:2005.12872) and models with its inputs and outputs.
///
/// Inputs: images [batch, 3, height, width], normalized; optionally `pixel_mask` [batch, height, width], 1 on the image and
/// 0 on padding, as Hugging Face exports have it, or `valid_sizes` [batch, 2], the height and width of each image on its
/// canvas, as `apus export --padding` writes it: then images of a batch may have different sizes, and a canvas of fixed
/// size is padded, not filled by stretching. Outputs: logits [batch, queries, classes + 1], the last being "no object", and
/// boxes [batch, queries, 4]: center x, center y, width and height as shares of the image.
package struct DETR: ModelFamily {
    package static let name = "detr"
    package static let decoding = "softmax scores, the last class being \"no object\""
    package static let expectation =
        "The inputs of a DETR model are images [batch, 3, height, width], with or without a pixel_mask [batch, height, "
        + "width] or valid_sizes [batch, 2]; its outputs are logits [batch, queries, classes + 1] and boxes [batch, "
        + "queries, 4]."
    package static let modelTypes = ["detr"]

    package let assumptions: [String]
    package let classCount: Int
    package let labels: LabelMap?
    package let inputs: ModelInputs
    package let padding: PaddedShapes?
    package let maxInputSide: Int?

    private let logits: String
    private let boxes: String
    /// Operators of models with the same outputs that score with a sigmoid: Conditional and DAB DETR refine boxes by the
    /// logarithm of an inverse sigmoid, Sparse R-CNN pools regions, and others select queries. DETR's network has none of them.
    /// (An exporter may fold the logarithm of a constant reference: then `offsetOutputs` has the boxes.)
    private static let foreignOperators: Set = ["Log", "RoiAlign", "MaxRoiPool", "TopK", "NonMaxSuppression"]
    private static let coding = BoxCoding(.centerSize, .imageFraction)

    // MARK: Recognition

    package static func claim(_ model: ModelDescription) -> FamilyClaim {
        guard let heads = QueryHeads(model.outputs), DETRInputs(model.inputs) != nil else { return .unrelated }
        if model.operators.contains("GridSample") {
            return .never(why: "its graph contains GridSample, which DETR's attention doesn't use")
        }
        if let operation = model.scoredOutputs[heads.logits.name] {
            return .never(why: "its output \(heads.logits.name) holds scores, computed by \(operation), not logits")
        }
        switch model.metadata.scoring {
        case .softmax: return .certain(evidence: "scoring softmax in its metadata")
        case .sigmoid: return .never(why: "its metadata declares scoring sigmoid, but DETR's scores are a softmax")
        case nil: break
        }
        guard heads.logits.name == "pred_logits", heads.boxes.name == "pred_boxes",
            model.operators.isDisjoint(with: DETR.foreignOperators), !model.offsetOutputs.contains(heads.boxes.name)
        else { return .possible }
        return .certain(
            evidence: "outputs pred_logits and pred_boxes, and no GridSample, as in the original DETR's exports")
    }

    package init(_ model: ModelDescription) throws(ApusError) {
        guard let heads = QueryHeads(model.outputs), let given = DETRInputs(model.inputs) else {
            throw ApusError(
                .notADetector, doing: "use the model",
                cause: "it does not have the inputs and outputs of DETR", remedy: DETR.expectation)
        }
        let preparation = DETRPreparation(model, given)
        let (image, rule) = (given.image, preparation.rule)
        var auxiliary: [ModelInputs.Auxiliary] = []
        if let mask = given.mask { auxiliary.append(.init(mask, .mask)) }
        if let sizes = given.validSizes { auxiliary.append(.init(sizes, .contentSizes)) }
        inputs = try ModelInputs(
            pixels: image, auxiliary: auxiliary, resize: preparation.resize,
            format: PixelFormat(normalization: preparation.normalization), fixedCanvas: preparation.fixedCanvas)
        padding = given.validSizes == nil ? nil : DETR.padding(image, rule)
        let (height, width) = (image.dimensions[2].size, image.dimensions[3].size)
        maxInputSide =
            height != nil && width != nil ? nil : DETR.aligned(max(rule.longest, height ?? 0, width ?? 0))
        logits = heads.logits.name
        boxes = heads.boxes.name
        classCount = max(0, (heads.logits.dimensions[2].size ?? 1) - 1)
        var assumptions = preparation.assumptions
        if let names = model.metadata.labels ?? model.companions.labels {
            labels = LabelMap(names: names)
            if model.metadata.labels == nil { assumptions.append("labels: from config.json") }
        } else if classCount == LabelMap.cocoClassCount {
            labels = .coco
            assumptions.append("labels: COCO's, as the model has 91 classes")
        } else {
            labels = nil
        }
        self.assumptions = assumptions
    }

    private static func aligned(_ side: Int) -> Int { (side + 31) / 32 * 32 }

    private static func padding(_ image: ValueInfo, _ rule: ShortestEdge) -> PaddedShapes? {
        guard case .dynamic(let height?) = image.dimensions[2], case .dynamic(let width?) = image.dimensions[3] else {
            return nil
        }
        var batch: String?
        if case .dynamic(let name) = image.dimensions[0] {
            guard let name else { return nil }
            batch = name
        }
        // The backbone halves five times, so other sizes gain nothing. Covers wide images (16:9, 3:2) and 4:3.
        let (short, long) = (aligned(rule.shortest), aligned(rule.longest))
        let middle = min(long, aligned(rule.shortest * 4 / 3))
        let landscape = Set([middle, long].map { PixelSize(width: $0, height: short) })
        let canvases = landscape.union(landscape.map { PixelSize(width: $0.height, height: $0.width) })
        return PaddedShapes(
            batch: batch, height: height, width: width,
            canvases: canvases.sorted { ($0.area, $1.width) < ($1.area, $0.width) })
    }

    // MARK: Outputs

    package var outputNames: [String] { [logits, boxes] }

    package func detections(
        in outputs: ModelOutputs, placements: [Placement], options: DecodingOptions
    ) throws -> [[Detection]] {
        try outputs.withFloats(logits, rank: 3) { scores, scoreShape in
            try outputs.withFloats(boxes, rank: 3) { edges, boxShape in
                guard boxShape[2] == 4, scoreShape[2] > 1, scoreShape[..<2] == boxShape[..<2],
                    scoreShape[0] >= placements.count
                else { throw outputs.mismatch("they don't fit together") }
                try ModelOutputs.require(
                    scores.allSatisfy(\.isFinite) && edges.allSatisfy { abs($0) <= DETR.coding.maxMagnitude })
                let (queries, width) = (scoreShape[1], scoreShape[2])
                return placements.enumerated().map { image, placement in
                    (image * queries..<(image + 1) * queries).compactMap { row in
                        let best = Scoring.softmaxDroppingLast(scores[(row * width)..<((row + 1) * width)])
                        guard best.score > options.threshold else { return nil }
                        let box = DETR.coding.box(
                            edges[4 * row], edges[4 * row + 1], edges[4 * row + 2], edges[4 * row + 3], in: placement)
                        return Detection(score: best.score, label: best.label, category: nil, box: box)
                    }.sorted { $0.score > $1.score }
                }
            }
        }
    }
}

/// The inputs of a DETR model, by role.
private struct DETRInputs {
    let image: ValueInfo
    let mask: ValueInfo?
    let validSizes: ValueInfo?

    init?(_ inputs: [ValueInfo]) {
        guard let image = inputs.first(where: DETRInputs.isImage) else { return nil }
        let others = inputs.filter { $0.name != image.name }
        guard others.count <= 1, others.allSatisfy({ DETRInputs.isMask($0) || DETRInputs.isValidSizes($0) }) else {
            return nil
        }
        self.image = image
        mask = others.first(where: DETRInputs.isMask)
        validSizes = others.first(where: DETRInputs.isValidSizes)
    }

    private static func isImage(_ value: ValueInfo) -> Bool {
        value.dimensions.count == 4 && (value.dimensions[1].size ?? 3) == 3
            && (value.elementType == .float32 || value.elementType == .float16)
    }

    private static func isMask(_ value: ValueInfo) -> Bool {
        value.dimensions.count == 3 && value.name == "pixel_mask"
            && [.int64, .bool, .float32].contains(value.elementType)
    }

    private static func isValidSizes(_ value: ValueInfo) -> Bool {
        value.dimensions.count == 2 && value.name == "valid_sizes" && value.elementType == .int64
    }
}

/// How images are resized and normalized for a DETR model, and which of it was assumed.
private struct DETRPreparation {
    var rule: ShortestEdge
    var resize: ResizePolicy
    var fixedCanvas: PixelSize?
    var normalization: ModelMetadata.Normalization
    var assumptions: [String] = []

    init(_ model: ModelDescription, _ given: DETRInputs) {
        let dimensions = given.image.dimensions
        let (height, width) = (dimensions[2].size, dimensions[3].size)
        let known = model.metadata.resize ?? model.companions.resize
        rule = ShortestEdge(shortest: known?.shortest ?? 800, longest: known?.longest ?? 1333)
        if height == nil, width == nil, model.metadata.resize == nil {
            assumptions.append(
                "resize rule: shortest side \(rule.shortest), longest at most \(rule.longest) "
                    + (known == nil ? "(DETR's)" : "(from preprocessor_config.json)"))
        }
        switch (width, height) {
        case (let width?, let height?):
            let size = PixelSize(width: width, height: height)
            let isPadded = given.validSizes != nil
            resize = isPadded ? .shortestEdge(rule) : .stretch(to: size)
            fixedCanvas = isPadded ? size : nil
            assumptions.append(
                "the model's input is fixed at \(size): every image is "
                    + (isPadded ? "scaled into it, and the rest is masked" : "stretched to it"))
        case (let width?, nil): resize = .width(width)
        case (nil, let height?): resize = .height(height)
        case (nil, nil): resize = .shortestEdge(rule)
        }
        if (width == nil) != (height == nil) {
            assumptions.append("one side of the model's input is fixed: images are scaled to it and keep their shape")
        }
        if let batch = dimensions[0].size, batch > 1 {
            assumptions.append("the model's batch size is \(batch): copies fill the rest")
        }
        let normalization = model.metadata.normalization ?? model.companions.normalization
        if model.metadata.normalization == nil {
            assumptions.append(
                normalization == nil
                    ? "pixels normalized with ImageNet's mean and deviation"
                    : "pixels normalized as preprocessor_config.json specifies")
        }
        self.normalization = normalization ?? .imageNet
    }
}
