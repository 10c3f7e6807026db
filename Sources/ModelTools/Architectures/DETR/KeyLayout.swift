internal import ONNX
internal import Remedies

/// Maps the names that training programs use for DETR's weights to one convention: the original's, except that attention has
/// separate query, key and value weights (`self_attn.q.weight`), as in Hugging Face's.
struct KeyLayout {
    enum Style: String {
        case official = "DETR's own"
        case huggingFace = "Hugging Face's"
    }

    let style: Style
    /// Prefix of every key, such as "module.".
    let prefix: String
    /// The weights by canonical name.
    private(set) var tensors: [String: CheckpointTensor] = [:]
    /// The names in the file.
    private(set) var names: [String: String] = [:]
    /// Parts of the network that detection doesn't need, with their number of tensors.
    private(set) var leftOut: [String: Int] = [:]
    /// Keys that don't belong to any part of the network.
    private(set) var unknown: [String] = []

    init(_ checkpoint: Checkpoint) throws(ModelToolsError) {
        let heads = [("class_embed.weight", Style.official), ("class_labels_classifier.weight", Style.huggingFace)]
        let found = heads.lazy.flatMap { head in
            checkpoint.tensors.keys.filter { $0 == head.0 || $0.hasSuffix(".\(head.0)") }.sorted {
                ($0.count, $0) < ($1.count, $1)
            }
            .map { (String($0.dropLast(head.0.count)), head.1) }
        }.first
        guard let found else {
            let some = checkpoint.tensors.keys.sorted().prefix(4).joined(separator: ", ")
            throw ModelToolsError(
                .architecture,
                "it is not a DETR: it has neither class_embed.weight (DETR's own names) nor class_labels_classifier.weight "
                    + "(Hugging Face's); it has \(some), …",
                remedy: "Apus exports DETR with a ResNet backbone. Use its checkpoint.")
        }
        (prefix, style) = found
        for (name, tensor) in checkpoint.tensors.sorted(by: { $0.key < $1.key }) { try add(name, tensor) }
        unknown.sort()
    }

    private mutating func add(_ name: String, _ tensor: CheckpointTensor) throws(ModelToolsError) {
        // A counter kept by training, and the loss's weights.
        if name.hasSuffix("num_batches_tracked") || name.hasSuffix("criterion.empty_weight") { return }
        if let part = ["mask_head", "bbox_attention"].first(where: { name.contains("\($0).") }) {
            leftOut[part, default: 0] += 1
            return
        }
        guard name.hasPrefix(prefix) else {
            unknown.append(name)
            return
        }
        let key = name.dropFirst(prefix.count)
        let canonical = style == .official ? String(key) : HuggingFaceKeys.canonical(key)
        guard let canonical else {
            unknown.append(name)
            return
        }
        for (suffix, kind) in [("in_proj_weight", "weight"), ("in_proj_bias", "bias")] where canonical.hasSuffix(suffix)
        {
            guard let rows = tensor.shape.first, rows.isMultiple(of: 3) else { break }
            for (part, letter) in ["q", "k", "v"].enumerated() {
                let range = (part * (rows / 3))..<((part + 1) * (rows / 3))
                set("\(canonical.dropLast(suffix.count))\(letter).\(kind)", try tensor.rows(range), name)
            }
            return
        }
        set(canonical.replacing(".out_proj.", with: ".out."), tensor, name)
    }

    private mutating func set(_ key: String, _ tensor: CheckpointTensor, _ name: String) {
        // Two names for one weight: it is ambiguous which of them counts.
        guard tensors[key] == nil else {
            unknown.append(name)
            return
        }
        tensors[key] = tensor
        names[key] = name
    }

    /// The number of entries `list.0.…`, `list.1.…`.
    func count(_ list: String) -> Int {
        var numbers: Set<Int> = []
        for key in tensors.keys where key.hasPrefix(list + ".") {
            if let number = Int(key.dropFirst(list.count + 1).prefix { $0 != "." }) { numbers.insert(number) }
        }
        return (0..<10_000).first { !numbers.contains($0) } ?? 0
    }
}

/// The names in `transformers`' DetrForObjectDetection, whose backbone is timm's or its own.
enum HuggingFaceKeys {
    private static let transformer: [(String, String)] = [
        ("self_attn.q_proj.", "self_attn.q."), ("self_attn.k_proj.", "self_attn.k."),
        ("self_attn.v_proj.", "self_attn.v."),
        ("self_attn.out_proj.", "self_attn.out."), ("self_attn.o_proj.", "self_attn.out."),
        ("encoder_attn.q_proj.", "multihead_attn.q."), ("encoder_attn.k_proj.", "multihead_attn.k."),
        ("encoder_attn.v_proj.", "multihead_attn.v."), ("encoder_attn.out_proj.", "multihead_attn.out."),
        ("encoder_attn.o_proj.", "multihead_attn.out."),
        ("self_attn_layer_norm.", "norm1."), ("encoder_attn_layer_norm.", "norm2."),
        ("mlp.fc1.", "linear1."), ("mlp.fc2.", "linear2."), ("fc1.", "linear1."), ("fc2.", "linear2."),
    ]

    /// The original's name for a key; nil if DETR doesn't have it.
    static func canonical(_ key: Substring) -> String? {
        if key.hasPrefix("class_labels_classifier.") { return "class_embed." + key.dropFirst(24) }
        if key.hasPrefix("bbox_predictor.") { return "bbox_embed." + key.dropFirst(15) }
        guard key.hasPrefix("model.") else { return nil }
        let rest = key.dropFirst(6)
        for (own, original) in [
            ("input_projection.", "input_proj."), ("query_position_embeddings.", "query_embed."),
            ("decoder.layernorm.", "transformer.decoder.norm."),
        ] where rest.hasPrefix(own) {
            return original + rest.dropFirst(own.count)
        }
        for side in ["encoder", "decoder"] where rest.hasPrefix("\(side).layers.") {
            let number = rest.dropFirst("\(side).layers.".count).prefix { $0 != "." }
            let part = rest.dropFirst("\(side).layers.".count + number.count + 1)
            let layer = "transformer.\(side).layers.\(number)."
            if part.hasPrefix("final_layer_norm.") {
                return layer + (side == "encoder" ? "norm2." : "norm3.") + part.dropFirst(17)
            }
            guard let (own, original) = transformer.first(where: { part.hasPrefix($0.0) }) else { return nil }
            return layer + original + part.dropFirst(own.count)
        }
        for start in ["backbone.conv_encoder.model.", "backbone.model."] where rest.hasPrefix(start) {
            return backbone(rest.dropFirst(start.count)).map { "backbone.0.body." + $0 }
        }
        return nil
    }

    /// timm uses torchvision's names; transformers' ResNet has its own.
    private static func backbone(_ key: Substring) -> String? {
        if key.hasPrefix("conv1.") || key.hasPrefix("bn1.") || key.hasPrefix("layer") { return String(key) }
        if let match = key.wholeMatch(of: /embedder\.embedder\.(convolution|normalization)\.(\w+)/) {
            return (match.1 == "convolution" ? "conv1." : "bn1.") + match.2
        }
        guard
            let match = key.wholeMatch(
                of: /encoder\.stages\.(\d+)\.layers\.(\d+)\.(.+)\.(convolution|normalization)\.(\w+)/),
            let stage = Int(match.1), stage < 100
        else { return nil }
        let isConvolution = match.4 == "convolution"
        let block = "layer\(stage + 1).\(match.2)."
        if match.3 == "shortcut" { return block + (isConvolution ? "downsample.0." : "downsample.1.") + match.5 }
        guard let part = match.3.wholeMatch(of: /layer\.(\d+)/), let number = Int(part.1), number < 100 else {
            return nil
        }
        return block + (isConvolution ? "conv" : "bn") + "\(number + 1)." + match.5
    }
}
