internal import Foundation
internal import ONNX

/// The inputs of an exported model.
package struct DETRExportOptions: Sendable {
    package var opset = 17
    /// Nil for any.
    package var batch: Int?
    package var height: Int?
    package var width: Int?
    /// Whether there is a second input, `valid_sizes`, for images of several sizes in one batch.
    package var hasPadding = false

    package static let opsets = 13...22

    package init() {}
}

/// Writes DETR as a graph of ONNX operators: batch norm folded into the convolutions, everything independent of the image
/// precomputed, and attention in the pattern that OpenVINO fuses into one operation.
///
/// Inputs: `inputs` [batch, 3, height, width], normalized; with padding also `valid_sizes` [batch, 2], the height and width in
/// pixels of each image at the top left of its canvas. Outputs: `pred_logits` [batch, queries, classes + 1] and `pred_boxes`
/// [batch, queries, 4]: center x, center y, width and height as fractions of the valid image.
///
/// The network is that of Carion et al., 2020 (arXiv:2005.12872), as in `models/detr.py`, `models/transformer.py` and
/// `models/position_encoding.py` of the reference implementation.
struct DETRGraph {
    let weights: DETRWeights
    private let options: DETRExportOptions
    let builder = GraphBuilder(name: "detr")
    var architecture: DETRArchitecture { weights.architecture }
    private var hidden: Int { architecture.hiddenSize }

    static func build(_ weights: DETRWeights, _ options: DETRExportOptions) throws(ModelToolsError) -> Graph {
        try DETRGraph(weights: weights, options: options).build()
    }

    private init(weights: DETRWeights, options: DETRExportOptions) {
        self.weights = weights
        self.options = options
    }

    private func build() throws(ModelToolsError) -> Graph {
        func dimension(_ size: Int?, _ name: String) -> ValueType.Dimension { size.map { .fixed($0) } ?? .named(name) }
        let batch = dimension(options.batch, "batch")
        builder.input(
            "inputs", .float32,
            [batch, .fixed(3), dimension(options.height, "height"), dimension(options.width, "width")])
        if options.hasPadding { builder.input("valid_sizes", .int64, [batch, .fixed(2)]) }
        builder.output(
            "pred_logits", .float32, [batch, .fixed(architecture.queries), .fixed(architecture.classes + 1)])
        builder.output("pred_boxes", .float32, [batch, .fixed(architecture.queries), .fixed(4)])

        let features = try builder.scope("backbone") { () throws(ModelToolsError) in backbone("inputs") }
        let projected = builder.add(
            "Conv", [features, weight("input_proj.weight"), weight("input_proj.bias")],
            [.ints("kernel_shape", [1, 1])], as: "input_proj")
        let (positions, bias) = try builder.scope("positions") { () throws(ModelToolsError) in
            PositionEncoding(builder: builder, architecture: architecture, options: options).add(projected)
        }
        let flat = builder.add("Reshape", [projected, builder.integers([0, hidden, -1])])
        let tokens = builder.add("Transpose", [flat], [.ints("perm", [0, 2, 1])])
        let memory = try encoder(tokens, positions: positions, bias: bias)
        let found = try decoder(memory, positions: positions, bias: bias)
        try heads(found)
        return builder.graph
    }

    // MARK: Weights

    private func weight(_ key: String) -> String {
        builder.weight(key, shape: weights[key].shape, weights[key].payload)
    }

    /// A linear layer's weight for MatMul, transposed.
    private func matrix(_ key: String, scale: Float = 1) -> String {
        let tensor = weights[key]
        let (rows, columns) = (tensor.shape[0], tensor.shape[1])
        return builder.weight(
            key, shape: [columns, rows],
            .computed(byteCount: 4 * tensor.count) {
                Matrix(rows: rows, columns: columns, values: tensor.floats()).transposed(scale: scale).bytes
            })
    }

    private func vector(_ key: String, scale: Float) -> String {
        builder.weight(key, weights[key].floats().map { $0 * scale }, shape: weights[key].shape)
    }

    // MARK: Transformer

    private func encoder(_ tokens: String, positions: String, bias: String?) throws(ModelToolsError) -> String {
        var x = tokens
        for index in 0..<architecture.encoderLayers {
            let key = "transformer.encoder.layers.\(index)."
            x = try builder.scope("encoder.\(index)") { () throws(ModelToolsError) in
                let placed = builder.add("Add", [x, positions], as: "with_positions")
                let attended = try attention("\(key)self_attn.", query: placed, key: placed, value: x, bias: bias)
                let first = try residual(x, attended, "\(key)norm1")
                return try residual(first, try feedForward(first, key), "\(key)norm2")
            }
        }
        return x
    }

    private func decoder(_ memory: String, positions: String, bias: String?) throws(ModelToolsError) -> String {
        let queries = weight("query_embed.weight")
        let placed = builder.add("Add", [memory, positions], as: "memory_with_positions")
        var x = ""
        for index in 0..<architecture.decoderLayers {
            let key = "transformer.decoder.layers.\(index)."
            x = try builder.scope("decoder.\(index)") { () throws(ModelToolsError) in
                var x = x
                if index == 0 {
                    x = firstSelfAttention(key)
                } else {
                    let asking = builder.add("Add", [x, queries], as: "with_queries")
                    x = try residual(
                        x, try attention("\(key)self_attn.", query: asking, key: asking, value: x, bias: nil),
                        "\(key)norm1")
                }
                let asking = builder.add("Add", [x, queries], as: "with_queries")
                let attended = try attention(
                    "\(key)multihead_attn.", query: asking, key: placed, value: memory, bias: bias)
                x = try residual(x, attended, "\(key)norm2")
                return try residual(x, try feedForward(x, key), "\(key)norm3")
            }
        }
        return try normalized(x, "transformer.decoder.norm")
    }

    /// The decoder starts with zeros, so its first self-attention sees the same value, the bias, for every query: its output
    /// after the norm is a constant.
    private func firstSelfAttention(_ key: String) -> String {
        let value = weights["\(key)self_attn.v.bias"].floats()
        let matrix = weights["\(key)self_attn.out.weight"].floats()
        let bias = weights["\(key)self_attn.out.bias"].floats()
        let output = (0..<hidden).map { row in
            zip(value, matrix[(row * hidden)..<((row + 1) * hidden)]).reduce(Double(bias[row])) {
                $0 + Double($1.0) * Double($1.1)
            }
        }
        let mean = output.reduce(0, +) / Double(hidden)
        let variance = output.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(hidden)
        let (scale, shift) = (weights["\(key)norm1.weight"].floats(), weights["\(key)norm1.bias"].floats())
        let normalized = output.indices.map {
            Float((output[$0] - mean) / (variance + 1e-5).squareRoot() * Double(scale[$0]) + Double(shift[$0]))
        }
        // One row per query: broadcasting would give the same result, but not the shape that fuses.
        let rows = (0..<architecture.queries).flatMap { _ in normalized }
        return builder.weight("\(key)norm1.output", rows, shape: [1, architecture.queries, hidden])
    }

    private func attention(
        _ key: String, query: String, key keys: String, value: String, bias: String?
    ) throws(ModelToolsError) -> String {
        let heads = architecture.heads
        let size = hidden / heads
        let part = key.contains("multihead") ? "cross_attn" : "self_attn"
        return try builder.scope(part) { () throws(ModelToolsError) in
            func split(_ input: String, _ part: String, scale: Float = 1) -> String {
                let projected = builder.add(
                    "MatMul", [input, matrix("\(key)\(part).weight", scale: scale)], as: "\(part)_proj")
                let shifted = builder.add(
                    "Add", [projected, vector("\(key)\(part).bias", scale: scale)], as: "\(part)_bias")
                let shaped = builder.add(
                    "Reshape", [shifted, builder.integers([0, 0, heads, size])], as: "\(part)_split")
                return builder.add("Transpose", [shaped], [.ints("perm", [0, 2, 1, 3])], as: part)
            }
            // The usual division by the root of the head size is folded into the query's weights.
            let q = split(query, "q", scale: 1 / Float(size).squareRoot())
            let k = split(keys, "k")
            let v = split(value, "v")
            let turned = builder.add("Transpose", [k], [.ints("perm", [0, 1, 3, 2])], as: "k_transposed")
            var scores = builder.add("MatMul", [q, turned], as: "scores")
            if let bias { scores = builder.add("Add", [scores, bias], as: "masked") }
            let shares = builder.add("Softmax", [scores], [.int("axis", -1)], as: "softmax")
            let mixed = builder.add("MatMul", [shares, v], as: "mix")
            let joined = builder.add("Transpose", [mixed], [.ints("perm", [0, 2, 1, 3])], as: "join")
            let flat = builder.add("Reshape", [joined, builder.integers([0, 0, hidden])], as: "flat")
            return linear(flat, "\(key)out", name: "out")
        }
    }

    private func linear(_ input: String, _ key: String, name: String, output: String? = nil) -> String {
        let product = builder.add("MatMul", [input, matrix("\(key).weight")], as: "\(name)_proj")
        return builder.add("Add", [product, weight("\(key).bias")], as: "\(name)_bias", output: output)
    }

    private func feedForward(_ input: String, _ key: String) throws(ModelToolsError) -> String {
        try builder.scope("ffn") { () throws(ModelToolsError) in
            let inner = builder.add("Relu", [linear(input, "\(key)linear1", name: "linear1")], as: "relu")
            return linear(inner, "\(key)linear2", name: "linear2")
        }
    }

    private func residual(_ input: String, _ change: String, _ norm: String) throws(ModelToolsError) -> String {
        let name = String(norm.split(separator: ".").last ?? "norm")
        return try normalized(builder.add("Add", [input, change], as: "\(name)_add"), norm)
    }

    private func normalized(_ input: String, _ key: String) throws(ModelToolsError) -> String {
        let name = String(key.split(separator: ".").last ?? "norm")
        let (scale, shift) = (weight("\(key).weight"), weight("\(key).bias"))
        if options.opset >= 17 {
            return builder.add(
                "LayerNormalization", [input, scale, shift],
                [.int("axis", -1), Attribute("epsilon", .float(1e-5))], as: name)
        }
        // Before opset 17 the standard has no such operator.
        return try builder.scope(name) { () throws(ModelToolsError) in
            let axes: [Attribute] = [.ints("axes", [-1]), .int("keepdims", 1)]
            let centred = builder.add(
                "Sub", [input, builder.add("ReduceMean", [input], axes, as: "mean")], as: "centred")
            let squares = builder.add("Mul", [centred, centred], as: "squares")
            let variance = builder.add("ReduceMean", [squares], axes, as: "variance")
            let deviation = builder.add(
                "Sqrt", [builder.add("Add", [variance, builder.scalar(1e-5)], as: "with_epsilon")], as: "deviation")
            let unit = builder.add("Div", [centred, deviation], as: "unit")
            return builder.add("Add", [builder.add("Mul", [unit, scale], as: "scaled"), shift], as: "shifted")
        }
    }

    private func heads(_ input: String) throws(ModelToolsError) {
        _ = linear(input, "class_embed", name: "class_embed", output: "pred_logits")
        var x = input
        for index in 0..<3 {
            x = linear(x, "bbox_embed.layers.\(index)", name: "bbox_embed.\(index)")
            x =
                index < 2
                ? builder.add("Relu", [x], as: "bbox_embed.\(index)/relu")
                : builder.add("Sigmoid", [x], as: "bbox_embed.sigmoid", output: "pred_boxes")
        }
    }
}
