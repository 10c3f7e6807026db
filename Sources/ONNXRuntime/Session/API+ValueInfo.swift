internal import COnnxRuntime
internal import Engine

extension API {
    /// Reads and releases a type description.
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

    /// The element type by the runtime's number, and the dimensions; a dynamic one is negative.
    func typeAndShape(_ info: OpaquePointer) throws(Failure) -> (type: Int32, shape: [Int]) {
        var type: Int32 = 0
        try check(OrtGetTensorElementType(table, info, &type))
        let rank = try count { OrtGetDimensionsCount(table, info, $0) }
        var shape = [Int64](repeating: 0, count: rank)
        try check(OrtGetDimensions(table, info, &shape, rank))
        return (type, shape.map { Int($0) })
    }
}
