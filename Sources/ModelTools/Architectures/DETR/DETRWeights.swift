internal import ONNX
package import Remedies

/// A DETR's weights, complete and of the right shapes.
package struct DETRWeights: Sendable {
    package let architecture: DETRArchitecture
    /// How the checkpoint names its weights.
    package let layout: String
    /// What the weights don't determine and was assumed, or read elsewhere; one sentence each.
    package let assumptions: [Note]
    /// Parts of the network that aren't exported, with their number of tensors.
    package let leftOut: [String: Int]
    private let tensors: [String: CheckpointTensor]

    /// The number of parameters.
    package var parameterCount: Int { tensors.values.reduce(0) { $0 + $1.count } }

    package subscript(key: String) -> CheckpointTensor {
        guard let tensor = tensors[key] else { preconditionFailure("\(key) was checked for") }
        return tensor
    }

    func has(_ key: String) -> Bool { tensors[key] != nil }

    /// Reads the weights of a checkpoint.
    ///
    /// - Throws: one error that lists every key that is missing, unknown or of the wrong shape.
    package init(_ checkpoint: Checkpoint, options: DETROptions, configuration: ModelConfiguration?)
        throws(ModelToolsError)
    {
        let layout = try KeyLayout(checkpoint)
        var assumptions: [Note] = []
        let shapes = try Shapes(layout)
        let heads = try DETRWeights.heads(shapes, checkpoint, options, configuration, &assumptions)
        let isDilated = DETRWeights.isDilated(checkpoint, options, configuration, &assumptions)
        architecture = DETRArchitecture(
            block: shapes.block, depths: shapes.depths, hiddenSize: shapes.hidden, feedForwardSize: shapes.feedForward,
            encoderLayers: shapes.encoderLayers, decoderLayers: shapes.decoderLayers, queries: shapes.queries,
            classes: shapes.classes, heads: heads, isDilated: isDilated)
        try configuration?.check()
        // As in torchvision; the file may still be called dc5.
        guard !isDilated || shapes.block == .bottleneck else {
            throw ModelToolsError(
                .architecture, "a backbone of basic blocks (ResNet-18 and 34) cannot be dilated (DC5)",
                remedy: "If the network is not dilated, set \(setting: .noDC5)")
        }
        try DETRWeights.check(layout, expected: shapes.expected())
        self.layout = layout.style.rawValue
        self.assumptions = assumptions
        leftOut = layout.leftOut
        tensors = layout.tensors
    }

    private static func heads(
        _ shapes: Shapes, _ checkpoint: Checkpoint, _ options: DETROptions, _ configuration: ModelConfiguration?,
        _ assumptions: inout [Note]
    ) throws(ModelToolsError) -> Int {
        let heads: Int
        if let given = options.heads {
            heads = given
        } else if let said = configuration?.heads {
            heads = said
            assumptions.append("\(said) attention heads, from config.json")
        } else if let said = checkpoint.arguments["nheads"].flatMap({ Int($0) }) {
            heads = said
            assumptions.append("\(said) attention heads, from the checkpoint's args")
        } else {
            heads = 8
            assumptions.append(
                "8 attention heads, as in the published models (the weights don't contain it; \(setting: .heads))")
        }
        guard heads > 0, shapes.hidden.isMultiple(of: heads) else {
            throw ModelToolsError(
                .option, "\(heads) attention heads do not divide its \(shapes.hidden) channels",
                remedy: "Set the number of heads that it was trained with: \(setting: .heads)")
        }
        return heads
    }

    private static func isDilated(
        _ checkpoint: Checkpoint, _ options: DETROptions, _ configuration: ModelConfiguration?,
        _ assumptions: inout [Note]
    ) -> Bool {
        if let given = options.isDilated { return given }
        if let said = configuration?.dilation {
            assumptions.append("\(said ? "dilated (DC5)" : "not dilated (no DC5)"), from config.json")
            return said
        }
        if let said = checkpoint.arguments["dilation"] {
            let isDilated = said.lowercased() == "true"
            assumptions.append("\(isDilated ? "dilated (DC5)" : "not dilated (no DC5)"), from the checkpoint's args")
            return isDilated
        }
        let isDilated = checkpoint.name.lowercased().contains("dc5")
        assumptions.append(
            isDilated
                ? "dilated (DC5), from the file's name (the weights don't contain it; \(setting: .noDC5))"
                : "not dilated (the weights don't contain it; \(setting: .dc5) if it is a DC5 model)")
        return isDilated
    }

    private static func check(_ layout: KeyLayout, expected: [String: [Int]]) throws(ModelToolsError) {
        var problems: [String] = []
        for (key, shape) in expected.sorted(by: { $0.key < $1.key }) {
            guard let tensor = layout.tensors[key] else {
                problems.append("missing: \(key)")
                continue
            }
            if tensor.shape != shape {
                problems.append("\(layout.names[key] ?? key) has shape \(tensor.shape) instead of \(shape)")
            } else if ![.float32, .float16, .bfloat16, .float64].contains(tensor.type) {
                problems.append("\(layout.names[key] ?? key) is \(tensor.type.name), not real numbers")
            }
        }
        let unused = layout.tensors.keys.filter { expected[$0] == nil }.compactMap { layout.names[$0] } + layout.unknown
        problems += Set(unused).sorted().map { "unused: \($0)" }
        guard problems.isEmpty else {
            var lines = problems.prefix(20).map { BoundedText.shortened($0) }
            if problems.count > lines.count { lines.append("and \(problems.count - lines.count) more") }
            throw ModelToolsError(
                .architecture,
                "its weights are not those of a DETR:\n" + BoundedText(stringLiteral: lines.joined(separator: "\n")),
                remedy:
                    "Apus exports DETR with a ResNet backbone and sine positions. Use its complete, unchanged checkpoint."
            )
        }
    }
}

/// What the shapes of the weights reveal about the network.
private struct Shapes {
    let block: DETRArchitecture.Block
    let depths: [Int]
    let hidden, feedForward, encoderLayers, decoderLayers, queries, classes: Int
    private let layout: KeyLayout

    init(_ layout: KeyLayout) throws(ModelToolsError) {
        self.layout = layout
        func size(_ key: String, _ dimension: Int, rank: Int) throws(ModelToolsError) -> Int {
            guard let tensor = layout.tensors[key], tensor.shape.count == rank, tensor.shape[dimension] > 0 else {
                let found = layout.tensors[key].map { "it is \($0.shape)" } ?? "it is missing"
                throw ModelToolsError(
                    .architecture, "the size of the network is determined by \(key), but \(found)",
                    remedy: "Apus exports DETR with a ResNet backbone. Use its complete checkpoint.")
            }
            return tensor.shape[dimension]
        }
        let body = "backbone.0.body."
        block = layout.tensors[body + "layer1.0.conv3.weight"] == nil ? .basic : .bottleneck
        depths = (1...4).map { layout.count("\(body)layer\($0)") }
        hidden = try size("query_embed.weight", 1, rank: 2)
        queries = try size("query_embed.weight", 0, rank: 2)
        classes = try size("class_embed.weight", 0, rank: 2) - 1
        encoderLayers = layout.count("transformer.encoder.layers")
        decoderLayers = layout.count("transformer.decoder.layers")
        guard classes > 0, depths.allSatisfy({ $0 > 0 }), decoderLayers > 0, hidden.isMultiple(of: 4) else {
            throw ModelToolsError(
                .architecture,
                "it has \(classes) classes, backbone layers of \(depths) blocks, \(decoderLayers) decoder layers and "
                    + "\(hidden) channels: a DETR has at least one of each, and channels in multiples of four",
                remedy: "Apus exports DETR with a ResNet backbone. Use its complete checkpoint.")
        }
        feedForward = try size("transformer.decoder.layers.0.linear1.weight", 0, rank: 2)
        _ = try size(body + "conv1.weight", 0, rank: 4)
        for layer in 1...4 {
            _ = try size("\(body)layer\(layer).0.conv1.weight", 0, rank: 4)
            if block == .bottleneck { _ = try size("\(body)layer\(layer).0.conv3.weight", 0, rank: 4) }
        }
    }

    /// Every key of the network, with its shape.
    func expected() -> [String: [Int]] {
        var keys: [String: [Int]] = [:]
        func linear(_ key: String, _ output: Int, _ input: Int) {
            keys["\(key).weight"] = [output, input]
            keys["\(key).bias"] = [output]
        }
        func norm(_ key: String) {
            keys["\(key).weight"] = [hidden]
            keys["\(key).bias"] = [hidden]
        }
        func layer(_ key: String, attentions: [String]) {
            for attention in attentions {
                for part in ["q", "k", "v", "out"] { linear("\(key).\(attention).\(part)", hidden, hidden) }
            }
            linear("\(key).linear1", feedForward, hidden)
            linear("\(key).linear2", hidden, feedForward)
            for number in 1...(attentions.count + 1) { norm("\(key).norm\(number)") }
        }
        let features = backbone(&keys)
        keys["input_proj.weight"] = [hidden, features, 1, 1]
        keys["input_proj.bias"] = [hidden]
        for index in 0..<encoderLayers { layer("transformer.encoder.layers.\(index)", attentions: ["self_attn"]) }
        for index in 0..<decoderLayers {
            layer("transformer.decoder.layers.\(index)", attentions: ["self_attn", "multihead_attn"])
        }
        norm("transformer.decoder.norm")
        keys["query_embed.weight"] = [queries, hidden]
        linear("class_embed", classes + 1, hidden)
        for index in 0..<3 { linear("bbox_embed.layers.\(index)", index == 2 ? 4 : hidden, hidden) }
        return keys
    }

    /// Adds the backbone's keys; returns the number of its output channels.
    private func backbone(_ keys: inout [String: [Int]]) -> Int {
        let body = "backbone.0.body."
        func channels(_ key: String) -> Int { layout.tensors["\(body)\(key).weight"]?.shape.first ?? 0 }
        func convolution(_ key: String, _ norm: String, _ output: Int, _ input: Int, _ side: Int) {
            keys["\(body)\(key).weight"] = [output, input, side, side]
            for part in ["weight", "bias", "running_mean", "running_var"] { keys["\(body)\(norm).\(part)"] = [output] }
        }
        var input = channels("conv1")
        convolution("conv1", "bn1", input, 3, 7)
        for (index, depth) in depths.enumerated() {
            let width = channels("layer\(index + 1).0.conv1")
            let output = block == .bottleneck ? channels("layer\(index + 1).0.conv3") : width
            for number in 0..<depth {
                let name = "layer\(index + 1).\(number)"
                switch block {
                case .bottleneck:
                    convolution("\(name).conv1", "\(name).bn1", width, input, 1)
                    convolution("\(name).conv2", "\(name).bn2", width, width, 3)
                    convolution("\(name).conv3", "\(name).bn3", output, width, 1)
                case .basic:
                    convolution("\(name).conv1", "\(name).bn1", width, input, 3)
                    convolution("\(name).conv2", "\(name).bn2", width, width, 3)
                }
                // A shortcut convolution if the shape changes.
                if number == 0 && (index > 0 || input != output) {
                    convolution("\(name).downsample.0", "\(name).downsample.1", output, input, 1)
                }
                input = output
            }
        }
        return input
    }
}
