internal import ONNX

/// Rules on operators for computing in 16 bits.
enum PrecisionRules {
    /// Operators that always stay f32, with the reason.
    static func reason(_ node: Node) -> PrecisionPlan.Reason? {
        switch node.operation {
        case "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "QLinearMatMul",
            "MatMulInteger",
            "ConvInteger":
            .quantization
        case "Pow", "Exp", "ReduceSumSquare", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceProd",
            "ReduceSum", "CumSum", "CumProd", "LpNormalization", "MeanVarianceNormalization", "LRN", "Sum", "Softplus",
            "Det", "LpPool", "GlobalLpPool":
            .overflow
        case "Sin", "Cos", "Tan", "Sinh", "Cosh", "Range": .positions
        case "RoiAlign", "MaxRoiPool", "GridSample", "AffineGrid", "NonMaxSuppression", "Mod": .coordinates
        case "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli":
            .random
        case "DFT", "STFT", "MelWeightMatrix", "HannWindow", "HammingWindow", "BlackmanWindow": .signal
        case "BitCast": .bits
        case "Attention", "ReverseSequence": .runtime
        case "Loop", "Scan", "SequenceMap": .loop
        case "ScatterElements", "ScatterND":
            if case .string(let reduction)? = node.attribute("reduction")?.value, reduction.text != "none" {
                .runtime
            } else {
                nil
            }
        default: nil
        }
    }

    /// Operators that benefit from 16 bits, and that end the propagation of other rules.
    static let heavy: Set<String> = [
        "Conv", "ConvTranspose", "DeformConv", "MatMul", "Gemm", "Einsum", "LSTM", "GRU", "RNN",
    ]

    /// Operators whose output is no longer large, or for which it doesn't matter.
    static let bounding: Set<String> = [
        "Div", "Softmax", "LogSoftmax", "Hardmax", "Tanh", "Sigmoid", "HardSigmoid", "Erf", "Log", "Atan", "Sign",
        "LayerNormalization", "InstanceNormalization", "GroupNormalization", "RMSNormalization", "ArgMax", "ArgMin",
        "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal", "IsInf", "IsNaN", "TopK",
    ]

    /// Operators that propagate a large value.
    static let passing = Set([
        "Add", "Sub", "Mul", "Neg", "Abs", "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "Sqrt", "Reciprocal",
        "Max", "Min", "Clip", "Mean", "Relu", "LeakyRelu", "PRelu", "Floor", "Ceil", "Round", "MaxPool", "AveragePool",
        "GlobalAveragePool", "GlobalMaxPool",
    ]).union(moving)

    /// Operators that move values without computing.
    static let moving: Set<String> = [
        "Identity", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten", "Concat", "Slice", "Split", "Gather",
        "GatherElements", "GatherND", "Expand", "Tile", "Pad", "Where", "Compress", "Cast", "SpaceToDepth",
        "DepthToSpace",
        "ScatterElements", "ScatterND", "Trilu", "ReverseSequence",
    ]

    /// Elementwise operators through which an integer or an angle is computed.
    static let elementwise: Set<String> = passing.union([
        "Div", "Floor", "Ceil", "Round", "Pow", "Exp", "Log", "Mod", "CumSum", "Relu", "Sign", "Sigmoid",
    ])

    /// Whether a node accepts both f32 and f16, so that it needs no casts.
    static func takesEither(_ node: Node) -> Bool {
        node.isStandard && ["Cast", "Shape", "Size"].contains(node.operation)
    }

    /// Inputs that stay f32 even if the operator accepts f16: parameters rather than data.
    static func isPinned(_ operation: String, input: Int) -> Bool {
        switch operation {
        case "Resize", "Upsample": input > 0
        case "OneHot": input < 2
        case "Dropout", "TopK", "Tile",
            "Pad" where input != 2:
            input > 0
        default: false
        }
    }
}
