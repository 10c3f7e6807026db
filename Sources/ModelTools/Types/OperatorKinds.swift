internal import ONNX

/// The output types of operators that define them in attributes.
enum OperatorKinds {
    /// Whether `TypeInference` derives a node's output types from its attributes or graphs.
    static func isTypedByNode(_ node: Node) -> Bool { node.isStandard && typedByNode.contains(node.operation) }

    private static let typedByNode: Set<String> = [
        "Cast", "BitCast", "CastLike", "Constant", "ConstantOfShape", "RandomNormal", "RandomUniform",
        "RandomNormalLike", "RandomUniformLike", "EyeLike", "Bernoulli", "Multinomial", "QuantizeLinear",
        "DequantizeLinear", "BlackmanWindow", "HannWindow", "HammingWindow", "MelWeightMatrix", "LayerNormalization",
        "SequenceEmpty", "SequenceConstruct", "SplitToSequence", "SequenceAt", "ConcatFromSequence", "Optional",
        "OptionalGetElement", "If", "Loop", "Scan", "SequenceMap",
    ]

    static func constant(_ node: Node) -> ElementKind? {
        for attribute in node.attributes {
            switch (attribute.name, attribute.value) {
            case ("value", .tensor(let tensor)): return .tensor(tensor.type)
            case ("sparse_value", .sparseTensor(let sparse)): return .tensor(sparse.values.type)
            case ("value_int", .int), ("value_ints", .ints): return .tensor(.int64)
            case ("value_float", .float), ("value_floats", .floats): return .tensor(.float32)
            case ("value_string", .string), ("value_strings", .strings): return .tensor(.string)
            default: break
            }
        }
        return nil
    }

    static func optional(_ node: Node, _ input: ElementKind?) -> ElementKind? {
        var kind = input
        if kind == nil, case .type(let type?)? = node.attribute("type")?.value { kind = ElementKind(type) }
        switch kind {
        case .tensor(let element): return .optional(element)
        case .sequence(let element): return .optionalSequence(element)
        default: return nil
        }
    }

    static func unwrapped(_ kind: ElementKind?) -> ElementKind? {
        switch kind {
        case .optional(let element): .tensor(element)
        case .optionalSequence(let element): .sequence(element)
        default: kind
        }
    }

    /// For the domain ai.onnx.ml; nil for others.
    static func machineLearning(_ node: Node, _ input: ElementKind?) -> [ElementKind?]? {
        guard node.domain == "ai.onnx.ml" else { return nil }
        func has(_ name: String) -> Bool {
            switch node.attribute(name)?.value {
            case .strings(let values): !values.isEmpty
            case .ints(let values): !values.isEmpty
            case .floats(let values): !values.isEmpty
            default: false
            }
        }
        switch node.operation {
        case "LabelEncoder":
            if case .tensor(let tensor)? = node.attribute("values_tensor")?.value { return [.tensor(tensor.type)] }
            if has("values_strings") { return [.tensor(.string)] }
            if has("values_int64s") { return [.tensor(.int64)] }
            if has("values_floats") { return [.tensor(.float32)] }
            return [input == .tensor(.string) ? .tensor(.int64) : .tensor(.string)]
        case "CategoryMapper": return [input == .tensor(.string) ? .tensor(.int64) : .tensor(.string)]
        case "LinearClassifier", "SVMClassifier", "TreeEnsembleClassifier":
            let isText = has("classlabels_strings") || has("classlabels_string")
            return [.tensor(isText ? .string : .int64), .tensor(.float32)]
        case "CastMap":
            guard case .string(let name)? = node.attribute("cast_to")?.value else { return [.tensor(.float32)] }
            return [.tensor(name.text == "TO_STRING" ? .string : name.text == "TO_INT64" ? .int64 : .float32)]
        case "ZipMap": return [.other]
        default: return nil
        }
    }
}
