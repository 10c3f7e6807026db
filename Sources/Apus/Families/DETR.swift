internal import Foundation
package import Imaging
package import ONNXRuntime

/// DETR (Carion et al., 2020, arXiv:2005.12872) and models with its inputs and outputs.
///
/// Inputs: pictures [batch, 3, height, width], normalized; optionally `pixel_mask` [batch, height, width], 1 on the
/// picture and 0 on padding, as Hugging Face exports have it, or `valid_sizes` [batch, 2], the height and width of each
/// picture on its canvas, as `apus export --padding` writes it: then pictures of a batch may have different sizes, and a
/// canvas of fixed size is padded, not filled by stretching. Outputs: logits [batch, queries, classes + 1], the last
/// being "no object", and boxes [batch, queries, 4], centre x, centre y, width and height as shares of the picture.
package struct DETR: ModelFamily {
    package static let name = "detr"
    package static let expectation =
        "A DETR model takes a picture [batch, 3, height, width], with or without a pixel_mask [batch, height, width] or "
        + "valid_sizes [batch, 2], "
        + "and gives logits [batch, queries, classes + 1] and boxes [batch, queries, 4]."

    package let assumptions: [String]
    package let classCount: Int
    package let labels: LabelMap?
    package let fixedBatch: Int?

    private let image: ValueInfo
    private let imageType: ElementType
    private let mask: ValueInfo?
    private let validSizes: ValueInfo?
    private let logits: ValueInfo
    private let boxes: ValueInfo
    private let resize: ResizeRule
    private let normalizer: PixelNormalizer
    private var fixedHeight: Int? { image.dimensions[2].size }
    private var fixedWidth: Int? { image.dimensions[3].size }

    package static func recognize(_ model: ModelSignature) throws(ApusError) -> (any ModelFamily)? {
        guard let image = model.inputs.first(where: isImage), let imageType = image.elementType,
            let (logits, boxes) = outputs(model.outputs)
        else { return nil }
        let others = model.inputs.filter { $0.name != image.name }
        guard others.count <= 1, others.allSatisfy({ isMask($0) || isValidSizes($0) }) else { return nil }
        return try DETR(
            image: image, type: imageType, mask: others.first(where: isMask),
            validSizes: others.first(where: isValidSizes), logits: logits, boxes: boxes, metadata: model.metadata)
    }

    private init(
        image: ValueInfo, type: ElementType, mask: ValueInfo?, validSizes: ValueInfo?, logits: ValueInfo,
        boxes: ValueInfo,
        metadata: [String: String]
    ) throws(ApusError) {
        self.image = image
        self.imageType = type
        self.mask = mask
        self.validSizes = validSizes
        self.logits = logits
        self.boxes = boxes
        fixedBatch = image.dimensions[0].size
        try DETR.checkSize(image, [0, 2, 3])
        if let mask { try DETR.checkSize(mask, [0, 1, 2]) }
        var assumed: [String] = []
        if metadata["family"] == nil {
            assumed.append("family detr, from the outputs \(logits.name) and \(boxes.name)")
        }
        let metadata = MetadataReader(entries: metadata)

        try metadata.requireBothOrNeither("shortest", "longest")
        try metadata.requireBothOrNeither("mean", "std")
        if let shortest = try metadata.positiveInteger("shortest"),
            let longest = try metadata.positiveInteger("longest")
        {
            resize = ResizeRule(shortest: shortest, longest: longest)
        } else {
            resize = .detr
            if image.dimensions[2].size == nil, image.dimensions[3].size == nil {
                assumed.append("resize rule: shortest side 800, longest at most 1333 (DETR's)")
            }
        }
        if let height = image.dimensions[2].size, let width = image.dimensions[3].size {
            assumed.append(
                "the model's input is fixed at \(width)x\(height): every picture is "
                    + (validSizes == nil ? "stretched to it" : "scaled into it, and the rest is masked"))
        } else if image.dimensions[2].size != nil || image.dimensions[3].size != nil {
            assumed.append("one side of the model's input is fixed: pictures are scaled to it and keep their shape")
        }
        if let batch = image.dimensions[0].size, batch > 1 {
            assumed.append("the model takes \(batch) pictures at a time: copies fill the rest")
        }
        let mean = try metadata.threeNumbers("mean")
        let std = try metadata.threeNumbers("std")
        if mean == nil || std == nil { assumed.append("pixels normalized with ImageNet's mean and deviation") }
        if std?.contains(0) == true { throw MetadataReader.invalid("std", "a deviation of 0 divides by zero") }
        normalizer = PixelNormalizer(
            mean: mean ?? PixelNormalizer.imageNetMean, std: std ?? PixelNormalizer.imageNetStd)

        classCount = max(0, (logits.dimensions[2].size ?? 1) - 1)
        if let text = metadata.entries["labels"] {
            guard let map = LabelMap(json: text) else {
                throw MetadataReader.invalid("labels", "it is not JSON of names by number")
            }
            labels = map
        } else {
            labels = nil
        }
        assumptions = assumed
    }

    /// Of all pictures of a batch: 1.2 GB as f32.
    private static let mostBatchPixels = 100_000_000

    /// Refuses a fixed input that no picture fits, or that would take all memory.
    private static func checkSize(_ input: ValueInfo, _ sides: [Int]) throws(ApusError) {
        let fixed = sides.compactMap { input.dimensions[$0].size }
        guard fixed.allSatisfy({ (1...MetadataReader.mostPixels).contains($0) }),
            fixed.reduce(1, *) <= DETR.mostBatchPixels
        else {
            throw ApusError(
                .model, doing: "use the model", cause: "its input is \(input), which is not a size for pictures",
                remedy:
                    "Export it for pictures of up to \(MetadataReader.mostPixels) pixels a side, 100 million in a batch."
            )
        }
    }

    // MARK: Recognition

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

    /// By their names where these say it, else by their shapes: boxes have four numbers.
    private static func outputs(_ outputs: [ValueInfo]) -> (logits: ValueInfo, boxes: ValueInfo)? {
        let tensors = outputs.filter {
            $0.dimensions.count == 3 && ($0.elementType == .float32 || $0.elementType == .float16)
        }
        let fours = tensors.filter { ($0.dimensions[2].size ?? 4) == 4 }
        if let logits = tensors.first(where: { $0.name.contains("logits") }),
            let boxes = fours.first(where: { $0.name.contains("boxes") })
        {
            return (logits, boxes)
        }
        let rest = tensors.filter { tensor in (tensor.dimensions[2].size ?? 0) > 1 && tensor.dimensions[2].size != 4 }
        guard tensors.count == 2, fours.count == 1, let boxes = fours.first, let logits = rest.first else { return nil }
        return (logits, boxes)
    }

    // MARK: Inputs

    private static func aligned(_ side: Int) -> Int { (side + 31) / 32 * 32 }

    package var padding: PaddedShapes? {
        guard validSizes != nil, fixedWidth == nil, fixedHeight == nil,
            case .dynamic(let height?) = image.dimensions[2], case .dynamic(let width?) = image.dimensions[3]
        else { return nil }
        var batch: String?
        if case .dynamic(let name) = image.dimensions[0] {
            guard let name else { return nil }
            batch = name
        }
        // The backbone halves five times, so other sizes gain nothing. Wide pictures (16:9, 3:2) and those of 4:3.
        let (short, long) = (DETR.aligned(resize.shortest), DETR.aligned(resize.longest))
        let middle = min(long, DETR.aligned(resize.shortest * 4 / 3))
        let landscape = Set([middle, long].map { PixelSize(width: $0, height: short) })
        let canvases = landscape.union(landscape.map { PixelSize(width: $0.height, height: $0.width) })
        return PaddedShapes(
            batch: batch, height: height, width: width,
            canvases: canvases.sorted { ($0.area, $1.width) < ($1.area, $0.width) })
    }

    package var maxInputSide: Int? {
        hasFixedSize ? nil : DETR.aligned(max(resize.longest, fixedWidth ?? 0, fixedHeight ?? 0))
    }

    package func inputSize(width: Int, height: Int, on canvas: PixelSize?) -> PixelSize {
        let size = exactSize(width: width, height: height, on: canvas)
        return PixelSize(width: size.width, height: size.height)
    }

    private func exactSize(width: Int, height: Int, on canvas: PixelSize?) -> (width: Int, height: Int) {
        func scaled(_ side: Int, by fixed: Int, of own: Int) -> Int {
            let exact = (Double(side) * Double(fixed) / Double(own)).rounded()
            return Int(min(max(1, exact), Double(MetadataReader.mostPixels)))
        }
        switch (canvas?.width ?? fixedWidth, canvas?.height ?? fixedHeight) {
        case (let fixedWidth?, let fixedHeight?):
            guard mixesSizes else { return (fixedWidth, fixedHeight) }
            let wanted = resize.size(width: width, height: height)
            if wanted.width <= fixedWidth, wanted.height <= fixedHeight { return wanted }
            // As large as fits.
            return width * fixedHeight > height * fixedWidth
                ? (fixedWidth, min(fixedHeight, scaled(height, by: fixedWidth, of: width)))
                : (min(fixedWidth, scaled(width, by: fixedHeight, of: height)), fixedHeight)
        case (let fixedWidth?, nil): return (fixedWidth, scaled(height, by: fixedWidth, of: width))
        case (nil, let fixedHeight?): return (scaled(width, by: fixedHeight, of: height), fixedHeight)
        case (nil, nil): return resize.size(width: width, height: height)
        }
    }

    package var outputNames: [String] { [logits.name, boxes.name] }

    package var mixesSizes: Bool { validSizes != nil }

    package var hasFixedSize: Bool { fixedWidth != nil && fixedHeight != nil }

    package func inputs(for pictures: [Bitmap], on canvas: Canvas?) throws -> [String: Tensor] {
        let count = canvas?.batch ?? fixedBatch ?? pictures.count
        let width = canvas?.size.width ?? fixedWidth ?? pictures.map(\.width).max() ?? 1
        let height = canvas?.size.height ?? fixedHeight ?? pictures.map(\.height).max() ?? 1
        guard count * width * height <= DETR.mostBatchPixels else {
            throw ApusError(
                .model, doing: "make the model's input",
                cause: "\(count) pictures of the size that it wants have more than \(DETR.mostBatchPixels) pixels",
                remedy: "Use a smaller batch, or export the model for smaller pictures.")
        }
        let pixels = try normalizer.tensor(pictures, as: imageType, count: count, width: width, height: height)
        if let validSizes {
            let sizes = (0..<count).flatMap { index -> [Int64] in
                let picture = pictures[min(index, pictures.count - 1)]
                return [Int64(picture.height), Int64(picture.width)]
            }
            return [image.name: pixels, validSizes.name: try Tensor(shape: [count, 2], scalars: sizes)]
        }
        guard let mask else { return [image.name: pixels] }
        // Pictures of a batch have one size, so nothing is padding.
        // Some exports fix the mask at another size: it is resized inside of the model.
        let shape = [count, mask.dimensions[1].size ?? pixels.shape[2], mask.dimensions[2].size ?? pixels.shape[3]]
        let ones =
            switch mask.elementType {
            case .bool: try Tensor(Bool.self, shape: shape) { $0.update(repeating: true) }
            case .float32: try Tensor(Float.self, shape: shape) { $0.update(repeating: 1) }
            default: try Tensor(Int64.self, shape: shape) { $0.update(repeating: 1) }
            }
        return [image.name: pixels, mask.name: ones]
    }

    // MARK: Outputs

    package func detections(
        in outputs: [String: Tensor], sizes: [(width: Int, height: Int)], threshold: Float
    ) throws -> [[Detection]] {
        guard let logits = outputs[logits.name], let boxes = outputs[boxes.name],
            logits.shape.count == 3, boxes.shape.count == 3, boxes.shape[2] == 4, logits.shape[2] > 1,
            logits.shape[0] == boxes.shape[0], logits.shape[1] == boxes.shape[1], logits.shape[0] >= sizes.count
        else {
            let shapes = outputs.map { "\($0.key) \($0.value.shape)" }.sorted().joined(separator: ", ")
            throw ApusError(
                .model, doing: "read the model's answer", cause: "its outputs do not fit together: \(shapes)",
                remedy: DETR.expectation)
        }
        let (queries, classes) = (logits.shape[1], logits.shape[2] - 1)
        let scores = try logits.floats()
        let edges = try boxes.floats()
        // Boxes are shares of the picture: one a thousand times as large is no box, and would overflow in pixels.
        guard scores.allSatisfy(\.isFinite), edges.allSatisfy({ abs($0) <= 1000 }) else {
            throw ApusError(
                .inference, doing: "read the model's answer", cause: "it holds values that are no scores or boxes",
                remedy: "The device or its precision fails on this model: try --precision f32, or --device cpu.")
        }
        return sizes.enumerated().map { picture, size in
            (0..<queries).compactMap { query in
                let row = picture * queries + query
                let best = softmaxMaximum(scores[(row * (classes + 1))..<((row + 1) * (classes + 1))])
                guard best.score > threshold else { return nil }
                return Detection(
                    score: best.score, label: best.label, category: nil,
                    box: box(edges[(4 * row)..<(4 * row + 4)], width: Float(size.width), height: Float(size.height)))
            }.sorted { $0.score > $1.score }
        }
    }

    /// The likeliest class but the last, which is "no object", and its share of the softmax over all.
    private func softmaxMaximum(_ logits: ArraySlice<Float>) -> (label: Int, score: Float) {
        var best = logits.startIndex
        for index in logits.indices.dropLast() where logits[index] > logits[best] { best = index }
        let top = logits.max() ?? 0
        let sum = logits.reduce(Float(0)) { $0 + exp($1 - top) }
        return (best - logits.startIndex, exp(logits[best] - top) / sum)
    }

    /// From centre and size, as shares of the picture, to corners in pixels.
    private func box(_ values: ArraySlice<Float>, width: Float, height: Float) -> Box {
        let (x, y) = (values[values.startIndex], values[values.startIndex + 1])
        let (halfWidth, halfHeight) = (values[values.startIndex + 2] / 2, values[values.startIndex + 3] / 2)
        return Box(
            xMin: (x - halfWidth) * width, yMin: (y - halfHeight) * height,
            xMax: (x + halfWidth) * width, yMax: (y + halfHeight) * height)
    }
}

extension Tensor {
    /// The elements of an f32 or f16 tensor.
    fileprivate func floats() throws -> [Float] {
        elementType == .float16 ? try elements(of: Float16.self).map { Float($0) } : try elements()
    }
}

/// Reads numbers from a model's metadata; absent is nil, but present and wrong is an error.
private struct MetadataReader {
    /// The most pixels that a model may want of a side.
    static let mostPixels = 10_000

    var entries: [String: String]

    static func invalid(_ key: String, _ cause: String) -> ApusError {
        ApusError(
            .model, doing: "read the model's metadata \(key)", cause: cause,
            remedy: "Export the model again, or remove this entry from its metadata.")
    }

    func requireBothOrNeither(_ first: String, _ second: String) throws(ApusError) {
        if (entries[first] == nil) != (entries[second] == nil) {
            let (there, missing) = entries[first] == nil ? (second, first) : (first, second)
            throw MetadataReader.invalid(there, "there is no \(missing) beside it")
        }
    }

    func positiveInteger(_ key: String) throws(ApusError) -> Int? {
        guard let text = entries[key] else { return nil }
        guard let value = Int(text), (1...MetadataReader.mostPixels).contains(value) else {
            throw MetadataReader.invalid(
                key, "\"\(text)\" is no number of pixels from 1 to \(MetadataReader.mostPixels)")
        }
        return value
    }

    func threeNumbers(_ key: String) throws(ApusError) -> [Float]? {
        guard let text = entries[key] else { return nil }
        let values = text.split(separator: ",").map { Float($0.trimmingCharacters(in: .whitespaces)) }
        guard values.count == 3, !values.contains(where: { $0?.isFinite != true }) else {
            throw MetadataReader.invalid(key, "\"\(text)\" is not three numbers with commas between")
        }
        return values.compactMap { $0 }
    }
}
