/// The element type of a tensor; raw values are ONNX's `TensorProto.DataType`, which ONNX Runtime uses too.
package enum ElementType: Int32, Sendable, CaseIterable {
    case float32 = 1
    case uint8 = 2
    case int32 = 6
    case int64 = 7
    case bool = 9
    case float16 = 10
    case float64 = 11
    case bfloat16 = 16

    /// Bytes of one element.
    package var size: Int {
        switch self {
        case .uint8, .bool: 1
        case .float16, .bfloat16: 2
        case .float32, .int32: 4
        case .int64, .float64: 8
        }
    }

    /// The short name used in options and reports, such as "f32".
    package var name: String {
        switch self {
        case .float32: "f32"
        case .uint8: "u8"
        case .int32: "i32"
        case .int64: "i64"
        case .bool: "bool"
        case .float16: "f16"
        case .float64: "f64"
        case .bfloat16: "bf16"
        }
    }
}

/// A Swift type that represents a tensor's elements bit for bit.
package protocol TensorScalar: BitwiseCopyable, Sendable {
    static var elementType: ElementType { get }
}

extension Float: TensorScalar { package static var elementType: ElementType { .float32 } }
extension Float16: TensorScalar { package static var elementType: ElementType { .float16 } }
extension Double: TensorScalar { package static var elementType: ElementType { .float64 } }
extension UInt8: TensorScalar { package static var elementType: ElementType { .uint8 } }
extension Int32: TensorScalar { package static var elementType: ElementType { .int32 } }
extension Int64: TensorScalar { package static var elementType: ElementType { .int64 } }
extension Bool: TensorScalar { package static var elementType: ElementType { .bool } }

/// The upper half of a 32-bit float: 8 exponent bits, 7 fraction bits.
package struct BFloat16: TensorScalar, Equatable {
    package static var elementType: ElementType { .bfloat16 }
    package var bits: UInt16

    /// Rounds to nearest, ties to even; NaN stays NaN.
    package init(_ value: Float) {
        let bits = value.bitPattern
        self.bits =
            value.isNaN ? UInt16(bits >> 16) | 0x40 : UInt16((UInt64(bits) + 0x7FFF + UInt64((bits >> 16) & 1)) >> 16)
    }

    package var float: Float { Float(bitPattern: UInt32(bits) << 16) }
}
