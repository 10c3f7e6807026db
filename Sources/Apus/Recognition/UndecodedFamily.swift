internal import Engine

/// A family that this version doesn't decode, but whose models look like those of families that it does. It is named if a model
/// could be of either.
///
/// Sources: the projects' own exports and post-processing (see each).
struct UndecodedFamily: Sendable {
    var name: String
    var decoding: String
    /// Values of `model_type` in Hugging Face's `config.json`.
    var modelTypes: [String]
    /// The names of its outputs, scores first.
    var outputs: (scores: String, boxes: String)
    /// Whether its attention samples the image at computed points, as `GridSample` does.
    var isDeformable: Bool

    static let all = [
        // transformers, image_processing_conditional_detr.py: post_process_object_detection
        UndecodedFamily(
            name: "conditional-detr", decoding: "sigmoid scores of all classes, top 100 of query x class",
            modelTypes: ["conditional_detr", "dab-detr"], outputs: ("logits", "pred_boxes"), isDeformable: false),
        // transformers, image_processing_deformable_detr.py: post_process_object_detection
        UndecodedFamily(
            name: "deformable-detr", decoding: "sigmoid scores of all classes, top 100 of query x class",
            modelTypes: ["deformable_detr"], outputs: ("logits", "pred_boxes"),
            isDeformable: true),
        // transformers, image_processing_rt_detr.py; RT-DETR, D-FINE: tools/deployment/export_onnx.py
        UndecodedFamily(
            name: "rt-detr", decoding: "sigmoid scores of all classes, images stretched and not normalized",
            modelTypes: ["rt_detr", "rt_detr_v2", "d_fine", "deim", "deimv2"], outputs: ("logits", "pred_boxes"),
            isDeformable: true),
        // rf-detr, models/lwdetr.py: PostProcess
        UndecodedFamily(
            name: "rf-detr", decoding: "sigmoid scores of all classes, top 300 of query x class",
            modelTypes: ["rf_detr", "lw_detr"], outputs: ("labels", "dets"), isDeformable: true),
    ]

    /// Whether the model could be of this family: by the names of its outputs, or, if they have other names, by shape.
    func fits(_ model: ModelDescription) -> Bool {
        guard let heads = QueryHeads(model.outputs), model.inputs.contains(where: { $0.dimensions.count == 4 }) else {
            return false
        }
        // Deformable attention is exported as GridSample or as other operators; without GridSample a model can't be ruled out.
        if model.operators.contains("GridSample"), !isDeformable { return false }
        let names = (heads.logits.name, heads.boxes.name)
        if names == outputs { return true }
        return !UndecodedFamily.all.contains { names == $0.outputs }
    }
}

/// Two outputs [batch, queries, classes] and [batch, queries, 4], as in models with object queries.
struct QueryHeads {
    var logits: ValueInfo
    var boxes: ValueInfo

    /// By name if the names are known, else by shape: boxes have four numbers.
    init?(_ outputs: [ValueInfo]) {
        let tensors = outputs.filter {
            $0.dimensions.count == 3 && ($0.elementType == .float32 || $0.elementType == .float16)
        }
        let fours = tensors.filter { ($0.dimensions[2].size ?? 4) == 4 }
        for names in [("pred_logits", "pred_boxes"), ("logits", "pred_boxes"), ("logits", "boxes"), ("labels", "dets")]
        {
            if let logits = tensors.first(where: { $0.name.lowercased() == names.0 }),
                let boxes = fours.first(where: { $0.name.lowercased() == names.1 }),
                QueryHeads.match(logits, boxes)
            {
                (self.logits, self.boxes) = (logits, boxes)
                return
            }
        }
        let rest = tensors.filter { tensor in (tensor.dimensions[2].size ?? 0) > 1 && tensor.dimensions[2].size != 4 }
        guard tensors.count == 2, fours.count == 1, let boxes = fours.first, let logits = rest.first,
            QueryHeads.match(logits, boxes)
        else { return nil }
        (self.logits, self.boxes) = (logits, boxes)
    }

    /// Whether both can belong to the same batch and the same queries.
    private static func match(_ one: ValueInfo, _ other: ValueInfo) -> Bool {
        zip(one.dimensions.prefix(2), other.dimensions).allSatisfy { one, other in
            one.size == nil || other.size == nil || one.size == other.size
        }
    }
}
