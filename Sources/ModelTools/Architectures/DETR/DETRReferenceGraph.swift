internal import Foundation
internal import ONNX

/// DETR as the reference implementation computes it, one operator per step: batch norm as an operator, the mask always present
/// and resized, positions by cumulative sums, attention with minus infinity at masked cells. It is slow, and independent of
/// `DETRGraph`, to reveal mistakes in what that folds and rearranges.
struct DETRReferenceGraph {
    private let weights: DETRWeights
    private let options: DETRExportOptions
    private let builder = GraphBuilder(name: "detr_reference")
    private var architecture: DETRArchitecture { weights.architecture }
    private var hidden: Int { architecture.hiddenSize }

    static func build(_ weights: DETRWeights, _ options: DETRExportOptions) throws(ModelToolsError) -> Graph {
        let reference = DETRReferenceGraph(weights: weights, options: options)
        reference.build()
        return reference.builder.graph
    }

    private init(weights: DETRWeights, options: DETRExportOptions) {
        self.weights = weights
        self.options = options
    }

    private func build() {
        builder.input("inputs", .float32, [.named("batch"), .fixed(3), .named("height"), .named("width")])
        if options.hasPadding { builder.input("valid_sizes", .int64, [.named("batch"), .fixed(2)]) }
        builder.output("pred_logits", .float32, [.unknown, .unknown, .unknown])
        builder.output("pred_boxes", .float32, [.unknown, .unknown, .unknown])
        let features = backbone("inputs")
        let masked = mask(features)
        let positions = positions(masked)
        let cells = builder.add("Reshape", [masked, builder.integers([0, 1, 1, -1])])
        var memory = tokens(builder.add("Conv", [features, weight("input_proj.weight"), weight("input_proj.bias")]))
        for index in 0..<architecture.encoderLayers {
            let key = "transformer.encoder.layers.\(index)."
            let placed = builder.add("Add", [memory, positions])
            memory = norm(add(memory, attention("\(key)self_attn.", placed, placed, memory, cells)), "\(key)norm1")
            memory = norm(add(memory, feedForward(memory, key)), "\(key)norm2")
        }
        let batch = builder.add(
            "Slice", [builder.add("Shape", ["inputs"]), builder.integers([0]), builder.integers([1])])
        let shape = builder.add(
            "Concat", [batch, builder.integers([architecture.queries, hidden])], [.int("axis", 0)])
        let queries = builder.add("Expand", [weight("query_embed.weight"), shape])
        var found = builder.add("Mul", [queries, builder.scalar(0)])
        let placed = builder.add("Add", [memory, positions])
        for index in 0..<architecture.decoderLayers {
            let key = "transformer.decoder.layers.\(index)."
            let asking = add(found, queries)
            found = norm(add(found, attention("\(key)self_attn.", asking, asking, found, nil)), "\(key)norm1")
            found = norm(
                add(found, attention("\(key)multihead_attn.", add(found, queries), placed, memory, cells)),
                "\(key)norm2")
            found = norm(add(found, feedForward(found, key)), "\(key)norm3")
        }
        found = norm(found, "transformer.decoder.norm")
        linear(found, "class_embed", output: "pred_logits")
        for index in 0..<2 { found = builder.add("Relu", [linear(found, "bbox_embed.layers.\(index)")]) }
        builder.add("Sigmoid", [linear(found, "bbox_embed.layers.2")], output: "pred_boxes")
    }

    private func add(_ one: String, _ other: String) -> String { builder.add("Add", [one, other]) }

    private func weight(_ key: String) -> String {
        builder.weight(key, shape: weights[key].shape, weights[key].payload)
    }

    // MARK: Backbone

    private func convolution(
        _ input: String, _ key: String, _ norm: String, kernel: Int, stride: Int = 1, dilation: Int = 1
    ) -> String {
        let padding = kernel / 2 * dilation
        let x = builder.add(
            "Conv", [input, weight("\(key).weight")],
            [
                .ints("kernel_shape", [kernel, kernel]), .ints("pads", [padding, padding, padding, padding]),
                .ints("strides", [stride, stride]), .ints("dilations", [dilation, dilation]),
            ])
        let parts = ["weight", "bias", "running_mean", "running_var"].map { weight("\(norm).\($0)") }
        return builder.add("BatchNormalization", [x] + parts, [Attribute("epsilon", .float(1e-5))])
    }

    private func backbone(_ input: String) -> String {
        let body = "backbone.0.body."
        var x = builder.add("Relu", [convolution(input, body + "conv1", body + "bn1", kernel: 7, stride: 2)])
        x = builder.add(
            "MaxPool", [x], [.ints("kernel_shape", [3, 3]), .ints("pads", [1, 1, 1, 1]), .ints("strides", [2, 2])])
        for (layer, depth) in architecture.depths.enumerated() {
            let isDilated = architecture.isDilated && layer == 3
            for number in 0..<depth {
                let key = "\(body)layer\(layer + 1).\(number)."
                let stride = number == 0 && layer > 0 && !isDilated ? 2 : 1
                let dilation = isDilated && number > 0 ? 2 : 1
                var y = x
                switch architecture.block {
                case .bottleneck:
                    y = builder.add("Relu", [convolution(y, "\(key)conv1", "\(key)bn1", kernel: 1)])
                    y = convolution(y, "\(key)conv2", "\(key)bn2", kernel: 3, stride: stride, dilation: dilation)
                    y = convolution(builder.add("Relu", [y]), "\(key)conv3", "\(key)bn3", kernel: 1)
                case .basic:
                    y = convolution(y, "\(key)conv1", "\(key)bn1", kernel: 3, stride: stride)
                    y = convolution(builder.add("Relu", [y]), "\(key)conv2", "\(key)bn2", kernel: 3)
                }
                if weights.has("\(key)downsample.0.weight") {
                    x = convolution(x, "\(key)downsample.0", "\(key)downsample.1", kernel: 1, stride: stride)
                }
                x = builder.add("Relu", [add(x, y)])
            }
        }
        return x
    }

    // MARK: Mask and positions

    /// [batch or 1, 1, rows, columns] of the feature map, 1 on the image and 0 on padding: the pixels' mask, resized to the
    /// nearest.
    private func mask(_ features: String) -> String {
        let canvas = builder.add("Shape", ["inputs"])
        func side(_ axis: Int, _ others: [Int]) -> String {
            let size = builder.add("Gather", [canvas, builder.integers([axis], shape: [])], [.int("axis", 0)])
            let pixels = builder.add(
                "Range", [builder.integers([0], shape: []), size, builder.integers([1], shape: [])])
            let valid =
                options.hasPadding
                ? builder.add("Gather", ["valid_sizes", builder.integers([axis - 2])], [.int("axis", 1)])
                : builder.add("Reshape", [size, builder.integers([1, 1])])
            let kept = builder.add("Less", [pixels, valid])
            return builder.add(
                "Unsqueeze",
                [builder.add("Cast", [kept], [.int("to", DataType.float32.rawValue)]), builder.integers(others)])
        }
        let pixels = builder.add("Mul", [side(2, [1, 3]), side(3, [1, 2])])
        // floor(cell * pixels / cells), along both sides.
        return [2, 3].reduce(pixels) { mask, axis in
            func scalar(_ shape: String) -> String {
                builder.add("Gather", [shape, builder.integers([axis], shape: [])], [.int("axis", 0)])
            }
            let cells = scalar(builder.add("Shape", [features]))
            let numbers = builder.add(
                "Range", [builder.integers([0], shape: []), cells, builder.integers([1], shape: [])])
            let sources = builder.add("Div", [builder.add("Mul", [numbers, scalar(canvas)]), cells])
            return builder.add("Gather", [mask, sources], [.int("axis", axis)])
        }
    }

    private func positions(_ mask: String) -> String {
        let channels = hidden / 2
        let kept = builder.add("Squeeze", [mask, builder.integers([1])])
        let periods = builder.weight(
            "periods", (0..<channels).map { Float(pow(10_000, Double($0 / 2 * 2) / Double(channels))) },
            shape: [channels])
        let halves = [1, 2].map { axis in
            let ranks = builder.add("CumSum", [kept, builder.integers([axis], shape: [])])
            let last = builder.add(
                "Slice", [ranks, builder.integers([-1]), builder.integers([.max]), builder.integers([axis])])
            let share = builder.add("Div", [ranks, add(last, builder.scalar(1e-6))])
            let turns = builder.add("Mul", [share, builder.scalar(2 * .pi)])
            let angles = builder.add("Div", [builder.add("Unsqueeze", [turns, builder.integers([3])]), periods])
            let waves = [("Sin", 0), ("Cos", 1)].map { wave, first in
                let part = builder.add(
                    "Slice",
                    [
                        angles, builder.integers([first]), builder.integers([.max]), builder.integers([3]),
                        builder.integers([2]),
                    ])
                return builder.add("Unsqueeze", [builder.add(wave, [part]), builder.integers([4])])
            }
            return builder.add(
                "Reshape", [builder.add("Concat", waves, [.int("axis", 4)]), builder.integers([0, 0, 0, channels])])
        }
        return builder.add(
            "Reshape", [builder.add("Concat", halves, [.int("axis", 3)]), builder.integers([0, -1, hidden])])
    }

    private func tokens(_ features: String) -> String {
        let flat = builder.add("Reshape", [features, builder.integers([0, hidden, -1])])
        return builder.add("Transpose", [flat], [.ints("perm", [0, 2, 1])])
    }

    // MARK: Transformer

    private func attention(_ key: String, _ query: String, _ keys: String, _ value: String, _ cells: String?) -> String
    {
        let size = hidden / architecture.heads
        func split(_ input: String, _ part: String) -> String {
            let shaped = builder.add(
                "Reshape", [linear(input, key + part), builder.integers([0, 0, architecture.heads, size])])
            return builder.add("Transpose", [shaped], [.ints("perm", [0, 2, 1, 3])])
        }
        let scaled = builder.add("Mul", [split(query, "q"), builder.scalar(1 / Float(size).squareRoot())])
        let turned = builder.add("Transpose", [split(keys, "k")], [.ints("perm", [0, 1, 3, 2])])
        var scores = builder.add("MatMul", [scaled, turned])
        if let cells {
            let isPadding = builder.add("Equal", [cells, builder.scalar(0)])
            scores = builder.add("Where", [isPadding, builder.scalar(-.infinity), scores])
        }
        let mixed = builder.add(
            "MatMul", [builder.add("Softmax", [scores], [.int("axis", -1)]), split(value, "v")])
        let joined = builder.add("Transpose", [mixed], [.ints("perm", [0, 2, 1, 3])])
        return linear(builder.add("Reshape", [joined, builder.integers([0, 0, hidden])]), "\(key)out")
    }

    private func feedForward(_ x: String, _ key: String) -> String {
        linear(builder.add("Relu", [linear(x, "\(key)linear1")]), "\(key)linear2")
    }

    @discardableResult
    private func linear(_ x: String, _ key: String, output: String? = nil) -> String {
        let turned = builder.add("Transpose", [weight("\(key).weight")], [.ints("perm", [1, 0])])
        return builder.add("Add", [builder.add("MatMul", [x, turned]), weight("\(key).bias")], output: output)
    }

    private func norm(_ x: String, _ key: String) -> String {
        let axes: [Attribute] = [.ints("axes", [-1])]
        let centred = builder.add("Sub", [x, builder.add("ReduceMean", [x], axes)])
        let variance = builder.add("ReduceMean", [builder.add("Mul", [centred, centred])], axes)
        let unit = builder.add("Div", [centred, builder.add("Sqrt", [add(variance, builder.scalar(1e-5))])])
        return add(builder.add("Mul", [unit, weight("\(key).weight")]), weight("\(key).bias"))
    }
}
