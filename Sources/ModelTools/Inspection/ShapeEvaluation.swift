package import ONNX

/// Computes the shapes of a model's values for inputs of given sizes, and the arithmetic of its large operators.
///
/// Small integers, from which models compute shapes, are computed too. An unknown operator has outputs of unknown shape; what
/// depends on them is not counted, and is reported as such.
package struct ShapeEvaluation: Sendable {
    /// Multiplications and additions, counted individually.
    package private(set) var operations = 0.0
    /// Large operators whose arithmetic is unknown.
    package private(set) var uncounted = 0

    private var shapes: [String: [Int]] = [:]
    private var numbers: [String: [Int]] = [:]
    private let opset: Int

    /// Sizes apply to dimensions by name; all others are 1.
    package init(_ model: ONNXModel, batch: Int, height: Int, width: Int) {
        opset = model.opset("") ?? 0
        let graph = model.graph
        for tensor in graph.initializers {
            shapes[tensor.name] = tensor.shape
            if tensor.count <= 64 { numbers[tensor.name] = tensor.integers() }
        }
        for input in graph.inputs where shapes[input.name] == nil {
            guard case .tensor(_, let dimensions?)? = input.type else { continue }
            shapes[input.name] = dimensions.enumerated().map { position, dimension in
                if case .fixed(let size) = dimension { return max(0, size) }
                if position == 0 { return batch }
                return dimensions.count == 4 ? (position == 1 ? 3 : position == 2 ? height : width) : 1
            }
        }
        for node in graph.nodes { add(node) }
    }

    /// Max size or stride, so that sums and products of two don't overflow.
    private static let largest = Int(Int32.max)

    /// Max dimensions or integers, as a hostile model could make any number.
    private static let mostDimensions = 64

    private mutating func prune(_ output: String) {
        if let shape = shapes[output], shape.count > ShapeEvaluation.mostDimensions || shape.contains(where: { $0 < 0 })
        {
            shapes[output] = nil
        }
        if let values = numbers[output], values.count > ShapeEvaluation.mostDimensions { numbers[output] = nil }
    }

    private static func product(_ shape: some Sequence<Int>) -> Double { shape.reduce(1.0) { $0 * Double($1) } }

    private mutating func add(_ node: Node) {
        guard let output = node.outputs.first, !output.isEmpty else { return }
        evaluate(node, output)
        prune(output)
        let isLarge = ["Conv", "ConvTranspose", "MatMul", "Gemm"].contains(node.operation)
        if isLarge {
            if let count = arithmetic(node, output) { operations += count } else { uncounted += 1 }
        }
        if !node.subgraphs.isEmpty
            || ["LSTM", "GRU", "RNN", "Einsum", "Attention", "DeformConv"].contains(node.operation)
        {
            uncounted += 1
        }
    }

    private func shape(_ node: Node, _ index: Int) -> [Int]? {
        index < node.inputs.count ? shapes[node.inputs[index]] : nil
    }

    private func values(_ node: Node, _ index: Int) -> [Int]? {
        index < node.inputs.count ? numbers[node.inputs[index]] : nil
    }

    /// Twice the number of products: each is multiplied and added.
    private func arithmetic(_ node: Node, _ output: String) -> Double? {
        guard let result = shapes[output], let first = shape(node, 0), let second = shape(node, 1) else { return nil }
        switch node.operation {
        case "Conv": return 2 * ShapeEvaluation.product(result) * ShapeEvaluation.product(second.dropFirst())
        case "ConvTranspose": return 2 * ShapeEvaluation.product(first) * ShapeEvaluation.product(second.dropFirst())
        case "Gemm":
            return first.count == 2
                ? 2 * ShapeEvaluation.product(result) * Double(first[node.integer("transA") == 1 ? 0 : 1]) : nil
        default: return first.last.map { 2 * ShapeEvaluation.product(result) * Double($0) }
        }
    }

    private mutating func evaluate(_ node: Node, _ output: String) {
        switch node.operation {
        case "Conv", "MaxPool", "AveragePool": shapes[output] = window(node)
        case "MatMul": shapes[output] = product(node)
        case "Gemm":
            guard let a = shape(node, 0), let b = shape(node, 1), a.count == 2, b.count == 2 else { return }
            shapes[output] = [a[node.integer("transA") == 1 ? 1 : 0], b[node.integer("transB") == 1 ? 0 : 1]]
        case "GlobalAveragePool", "GlobalMaxPool":
            shapes[output] = shape(node, 0).map { $0.prefix(2) + $0.dropFirst(2).map { _ in 1 } }
        case "Add", "Sub", "Mul", "Div", "Min", "Max", "Pow", "Less", "Equal", "Greater", "And", "Or", "Where", "Mod",
            "Sum":
            broadcast(node, output)
        case "Constant":
            guard let tensor = node.constantTensor else { return }
            shapes[output] = tensor.shape
            if tensor.count <= 64 { numbers[output] = tensor.integers() }
        case "Shape":
            guard let shape = shape(node, 0) else { return }
            numbers[output] = shape
            shapes[output] = [shape.count]
        default: evaluateMoving(node, output)
        }
    }

    private mutating func evaluateMoving(_ node: Node, _ output: String) {
        let input = shape(node, 0)
        switch node.operation {
        case "Reshape":
            shapes[output] = reshaped(node)
            numbers[output] = values(node, 0)
        case "Transpose": shapes[output] = transposed(node)
        case "Gather": gather(node, output)
        case "Concat": concatenate(node, output)
        case "Unsqueeze", "Squeeze": changeRank(node, output)
        case "Expand":
            guard let input, let target = values(node, 1) else { return }
            shapes[output] = ShapeEvaluation.broadcast(input, target)
        case "Range": shapes[output] = range(node)
        case "Cast", "Identity":
            shapes[output] = input
            numbers[output] = values(node, 0)
        case "ReduceSum", "ReduceMean", "ReduceMax":
            // Over the last axis, kept, as in norms; other cases are rare.
            guard let input, (node.integer("keepdims") ?? 1) == 1 else { return }
            var axes = values(node, 1)
            if case .ints(let given)? = node.attribute("axes")?.value { axes = given.map { Int($0) } }
            guard let axes, axes.count <= ShapeEvaluation.mostDimensions else { return }
            shapes[output] = input.enumerated().map { axes.contains($0) || axes.contains($0 - input.count) ? 1 : $1 }
        case "Relu", "Sigmoid", "Softmax", "LogSoftmax", "LayerNormalization", "BatchNormalization", "Sin", "Cos",
            "Exp", "Sqrt",
            "Tanh", "Erf", "Clip", "LeakyRelu", "Neg", "Abs", "Floor", "Not", "Dropout", "CumSum", "Gelu",
            "HardSigmoid",
            "HardSwish", "InstanceNormalization", "Log", "Reciprocal":
            shapes[output] = input
        default: break
        }
    }

    private func transposed(_ node: Node) -> [Int]? {
        guard let input = shape(node, 0) else { return nil }
        guard case .ints(let order)? = node.attribute("perm")?.value else { return input.reversed() }
        guard order.allSatisfy({ input.indices.contains(Int($0)) }) else { return nil }
        return order.map { input[Int($0)] }
    }

    private mutating func gather(_ node: Node, _ output: String) {
        guard let input = shape(node, 0), let picked = shape(node, 1) else { return }
        let axis = node.integer("axis") ?? 0
        let place = axis < 0 ? axis + input.count : axis
        guard input.indices.contains(place) else { return }
        shapes[output] = Array(input[..<place] + picked + input[(place + 1)...])
        if let data = values(node, 0), let indices = values(node, 1) {
            numbers[output] = indices.compactMap { index in
                let index = index < 0 ? index + data.count : index
                return data.indices.contains(index) ? data[index] : nil
            }
        }
    }

    private func range(_ node: Node) -> [Int]? {
        guard let start = values(node, 0)?.first, let end = values(node, 1)?.first, let step = values(node, 2)?.first,
            (1...ShapeEvaluation.largest).contains(step),
            (-ShapeEvaluation.largest...ShapeEvaluation.largest).contains(start),
            (start...max(start, ShapeEvaluation.largest)).contains(end)
        else { return nil }
        return [(end - start + step - 1) / step]
    }

    private func window(_ node: Node) -> [Int]? {
        guard let input = shape(node, 0), input.count > 2 else { return nil }
        func ints(_ name: String) -> [Int]? {
            if case .ints(let values)? = node.attribute(name)?.value { values.map { Int($0) } } else { nil }
        }
        let spatial = input.count - 2
        let weight = node.operation == "Conv" ? shape(node, 1) : nil
        guard let kernel = ints("kernel_shape") ?? weight.map({ Array($0.dropFirst(2)) }), kernel.count == spatial
        else { return nil }
        let strides = ints("strides") ?? Array(repeating: 1, count: spatial)
        let dilations = ints("dilations") ?? Array(repeating: 1, count: spatial)
        let pads = ints("pads") ?? Array(repeating: 0, count: 2 * spatial)
        guard strides.count == spatial, dilations.count == spatial, pads.count == 2 * spatial,
            (strides + dilations + kernel).allSatisfy({ (1...ShapeEvaluation.largest).contains($0) }),
            (pads + input).allSatisfy({ (0...ShapeEvaluation.largest).contains($0) })
        else { return nil }
        if case .string(let kind)? = node.attribute("auto_pad")?.value, kind.text?.hasPrefix("SAME") == true {
            let sizes = (0..<spatial).map { (input[2 + $0] + strides[$0] - 1) / strides[$0] }
            return [input[0], weight?.first ?? input[1]] + sizes
        }
        let isCeiling = node.integer("ceil_mode") == 1
        let sizes = (0..<spatial).map { axis -> Int in
            let reach =
                input[2 + axis] &+ pads[axis] &+ pads[spatial + axis] &- (dilations[axis] &* (kernel[axis] &- 1)) &- 1
            return max(0, (isCeiling ? reach &+ strides[axis] &- 1 : reach) / strides[axis] + 1)
        }
        return [input[0], weight?.first ?? input[1]] + sizes
    }

    private func product(_ node: Node) -> [Int]? {
        guard let a = shape(node, 0), let b = shape(node, 1), a.count >= 2, b.count >= 2,
            let batch = ShapeEvaluation.broadcast(Array(a.dropLast(2)), Array(b.dropLast(2)))
        else { return nil }
        return batch + [a[a.count - 2], b[b.count - 1]]
    }

    private static func broadcast(_ one: [Int], _ other: [Int]) -> [Int]? {
        let rank = max(one.count, other.count)
        let a = Array(repeating: 1, count: rank - one.count) + one
        let b = Array(repeating: 1, count: rank - other.count) + other
        guard zip(a, b).allSatisfy({ $0 == $1 || $0 == 1 || $1 == 1 }) else { return nil }
        return zip(a, b).map { $0 == 1 ? $1 : $0 }
    }

    private mutating func broadcast(_ node: Node, _ output: String) {
        var shape: [Int]? = []
        for index in node.inputs.indices {
            guard let one = shape, let other = self.shape(node, index) else {
                shape = nil
                break
            }
            shape = ShapeEvaluation.broadcast(one, other)
        }
        shapes[output] = shape
        guard let a = values(node, 0), let b = values(node, 1), a.count == b.count || a.count == 1 || b.count == 1,
            !a.isEmpty, !b.isEmpty
        else { return }
        let count = max(a.count, b.count)
        numbers[output] = (0..<count).compactMap { index in
            let (x, y) = (a[min(index, a.count - 1)], b[min(index, b.count - 1)])
            switch node.operation {
            case "Add": return x &+ y
            case "Sub": return x &- y
            case "Mul": return x &* y
            case "Div": return y > 0 ? x / y : nil
            default: return nil
            }
        }
        if numbers[output]?.count != count { numbers[output] = nil }
    }

    private func reshaped(_ node: Node) -> [Int]? {
        guard let input = shape(node, 0), let target = values(node, 1) else { return nil }
        var shape = target.enumerated().map { $1 == 0 ? ($0 < input.count ? input[$0] : 0) : $1 }
        guard shape.count(where: { $0 == -1 }) <= 1, shape.allSatisfy({ $0 >= -1 }) else { return nil }
        if let open = shape.firstIndex(of: -1) {
            let rest = ShapeEvaluation.product(shape.enumerated().filter { $0.offset != open }.map(\.element))
            let size = ShapeEvaluation.product(input) / rest
            guard rest > 0, size >= 0, size < 1e15 else { return nil }
            shape[open] = Int(size)
        }
        return shape
    }

    private mutating func concatenate(_ node: Node, _ output: String) {
        let all = node.inputs.indices.compactMap { shape(node, $0) }
        guard all.count == node.inputs.count, var result = all.first, let axis = node.integer("axis") else { return }
        let place = axis < 0 ? axis + result.count : axis
        guard all.allSatisfy({ $0.indices.contains(place) }) else { return }
        result[place] = all.reduce(0) { $0 &+ $1[place] }
        shapes[output] = result
        let parts = node.inputs.indices.compactMap { values(node, $0) }
        if parts.count == node.inputs.count { numbers[output] = Array(parts.joined()) }
    }

    private mutating func changeRank(_ node: Node, _ output: String) {
        guard var shape = shape(node, 0) else { return }
        var axes = values(node, 1)
        if case .ints(let given)? = node.attribute("axes")?.value { axes = given.map { Int($0) } }
        guard (axes?.count ?? 0) <= ShapeEvaluation.mostDimensions else { return }
        if node.operation == "Unsqueeze" {
            guard let axes else { return }
            let rank = shape.count + axes.count
            for axis in axes.map({ $0 < 0 ? $0 + rank : $0 }).sorted() {
                guard (0...shape.count).contains(axis) else { return }
                shape.insert(1, at: axis)
            }
        } else {
            let rank = shape.count
            let gone = axes.map { $0.map { $0 < 0 ? $0 + rank : $0 } } ?? shape.indices.filter { shape[$0] == 1 }
            shape = shape.enumerated().filter { !gone.contains($0.offset) }.map(\.element)
        }
        shapes[output] = shape
        numbers[output] = values(node, 0)
    }
}
