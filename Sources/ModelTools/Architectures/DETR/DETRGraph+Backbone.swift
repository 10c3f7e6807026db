internal import ONNX

/// The backbone: a residual network (He et al., 2016, arXiv:1512.03385) with frozen batch norm.
extension DETRGraph {
    func backbone(_ input: String) -> String {
        let body = "backbone.0.body."
        var x = convolution(input, body + "conv1", body + "bn1", name: "conv1", kernel: 7, stride: 2)
        x = builder.add("Relu", [x], as: "relu")
        x = builder.add(
            "MaxPool", [x],
            [.ints("kernel_shape", [3, 3]), .ints("pads", [1, 1, 1, 1]), .ints("strides", [2, 2])], as: "maxpool")
        for (layer, depth) in architecture.depths.enumerated() {
            let isDilated = architecture.isDilated && layer == 3
            for number in 0..<depth {
                x = block(
                    x, "layer\(layer + 1).\(number)", stride: number == 0 && layer > 0 && !isDilated ? 2 : 1,
                    dilation: isDilated && number > 0 ? 2 : 1)
            }
        }
        return x
    }

    private func block(_ input: String, _ name: String, stride: Int, dilation: Int) -> String {
        let key = "backbone.0.body.\(name)."
        func part(_ x: String, _ number: Int, kernel: Int, stride: Int = 1, dilation: Int = 1) -> String {
            convolution(
                x, "\(key)conv\(number)", "\(key)bn\(number)", name: "\(name)/conv\(number)", kernel: kernel,
                stride: stride, dilation: dilation)
        }
        var x: String
        switch architecture.block {
        case .bottleneck:
            x = builder.add("Relu", [part(input, 1, kernel: 1)], as: "\(name)/relu1")
            x = part(x, 2, kernel: 3, stride: stride, dilation: dilation)
            x = part(builder.add("Relu", [x], as: "\(name)/relu2"), 3, kernel: 1)
        case .basic:
            x = builder.add("Relu", [part(input, 1, kernel: 3, stride: stride)], as: "\(name)/relu1")
            x = part(x, 2, kernel: 3)
        }
        var shortcut = input
        if weights.has("\(key)downsample.0.weight") {
            shortcut = convolution(
                input, "\(key)downsample.0", "\(key)downsample.1", name: "\(name)/downsample", kernel: 1, stride: stride
            )
        }
        return builder.add("Relu", [builder.add("Add", [x, shortcut], as: "\(name)/add")], as: "\(name)/relu")
    }

    /// A convolution with the frozen batch norm after it folded in.
    private func convolution(
        _ input: String, _ key: String, _ norm: String, name: String, kernel: Int, stride: Int = 1, dilation: Int = 1
    ) -> String {
        let tensor = weights["\(key).weight"]
        let fold = FrozenBatchNorm(
            weight: weights["\(norm).weight"].floats(), bias: weights["\(norm).bias"].floats(),
            mean: weights["\(norm).running_mean"].floats(), variance: weights["\(norm).running_var"].floats())
        let folded = builder.weight(
            "\(key).weight", shape: tensor.shape,
            .computed(byteCount: 4 * tensor.count) { fold.scaled(tensor.floats()).bytes })
        let bias = builder.weight("\(key).bias", fold.shift, shape: [tensor.shape[0]])
        let padding = kernel / 2 * dilation
        var attributes: [Attribute] = [.ints("kernel_shape", [kernel, kernel])]
        if padding > 0 { attributes.append(.ints("pads", [padding, padding, padding, padding])) }
        if stride > 1 { attributes.append(.ints("strides", [stride, stride])) }
        if dilation > 1 { attributes.append(.ints("dilations", [dilation, dilation])) }
        return builder.add("Conv", [input, folded, bias], attributes, as: name)
    }
}
