internal import COnnxRuntime

/// A model's input or output: its name, element type and dimensions.
package struct ValueInfo: Sendable, Equatable, CustomStringConvertible {
    package enum Dimension: Sendable, Equatable, CustomStringConvertible {
        case fixed(Int)
        /// Any size; the model may give it a name.
        case dynamic(String?)

        package var size: Int? { if case .fixed(let size) = self { size } else { nil } }

        package var description: String {
            switch self {
            case .fixed(let size): "\(size)"
            case .dynamic(let name): name ?? "?"
            }
        }
    }

    package var name: String
    /// Nil for an element type that Apus does not handle (strings, sequences, 4-bit integers).
    package var elementType: ElementType?
    package var dimensions: [Dimension]

    package init(name: String, elementType: ElementType?, dimensions: [Dimension]) {
        self.name = name
        self.elementType = elementType
        self.dimensions = dimensions
    }

    package var description: String {
        "\(name) \(elementType?.name ?? "(not a supported tensor)") \(shapeDescription)"
    }

    package var shapeDescription: String { "[" + dimensions.map(\.description).joined(separator: ", ") + "]" }

    /// Why a tensor cannot be this value; nil if it can.
    func mismatch(_ tensor: Tensor) -> String? {
        if let elementType, elementType != tensor.elementType {
            return "it takes \(elementType.name), but \(tensor.elementType.name) was given"
        }
        let fits =
            dimensions.count == tensor.shape.count
            && zip(dimensions, tensor.shape).allSatisfy { $0.size == nil || $0.size == $1 }
        return fits ? nil : "it takes shape \(shapeDescription), but \(tensor.shape) was given"
    }
}

extension API {
    /// Reads a type description, and releases it.
    func valueInfo(name: String, type: OpaquePointer) throws(Failure) -> ValueInfo {
        defer { OrtReleaseTypeInfo(table, type) }
        var tensor: OpaquePointer?
        try check(OrtCastTypeInfoToTensorInfo(table, type, &tensor))
        guard let tensor else { return ValueInfo(name: name, elementType: nil, dimensions: []) }
        let (rawType, shape) = try typeAndShape(tensor)
        var symbols = [UnsafePointer<CChar>?](repeating: nil, count: shape.count)
        try check(OrtGetSymbolicDimensions(table, tensor, &symbols, symbols.count))
        let dimensions = zip(shape, symbols).map { size, symbol -> ValueInfo.Dimension in
            if size >= 0 { return .fixed(size) }
            let name = symbol.map { String(cString: $0) } ?? ""
            return .dynamic(name.isEmpty ? nil : name)
        }
        return ValueInfo(name: name, elementType: ElementType(rawValue: rawType), dimensions: dimensions)
    }

    /// The element type, as the runtime numbers it, and the dimensions; a dynamic one is negative.
    func typeAndShape(_ info: OpaquePointer) throws(Failure) -> (type: Int32, shape: [Int]) {
        var type: Int32 = 0
        try check(OrtGetTensorElementType(table, info, &type))
        let rank = try count { OrtGetDimensionsCount(table, info, $0) }
        var shape = [Int64](repeating: 0, count: rank)
        try check(OrtGetDimensions(table, info, &shape, rank))
        return (type, shape.map { Int($0) })
    }
}
