/// A model's input or output: its name, element type and dimensions.
package struct ValueInfo: Sendable, Equatable, CustomStringConvertible {
    package enum Dimension: Sendable, Equatable, CustomStringConvertible {
        case fixed(Int)
        /// Any size; the model may name it.
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

    /// Why a tensor doesn't match this value; nil if it does.
    func mismatch(_ tensor: Tensor) -> String? {
        if let elementType, elementType != tensor.elementType {
            return "it must be \(elementType.name), but it is \(tensor.elementType.name)"
        }
        let fits =
            dimensions.count == tensor.shape.count
            && zip(dimensions, tensor.shape).allSatisfy { $0.size == nil || $0.size == $1 }
        return fits ? nil : "its shape must be \(shapeDescription), but it is \(tensor.shape)"
    }
}
