internal import ONNX

/// The element types of a checkpoint's tensors.
package enum ScalarType: Sendable, Hashable, CaseIterable {
    case float16, bfloat16, float32, float64, uint8, int8, int16, int32, int64, bool

    /// Bytes of one element.
    package var size: Int {
        switch self {
        case .uint8, .int8, .bool: 1
        case .float16, .bfloat16, .int16: 2
        case .float32, .int32: 4
        case .float64, .int64: 8
        }
    }

    /// The short name used in reports, such as "f32".
    package var name: String {
        switch self {
        case .float16: "f16"
        case .bfloat16: "bf16"
        case .float32: "f32"
        case .float64: "f64"
        case .uint8: "u8"
        case .int8: "i8"
        case .int16: "i16"
        case .int32: "i32"
        case .int64: "i64"
        case .bool: "bool"
        }
    }

    /// By the name of PyTorch's storage class without "Storage".
    init?(storage: String) {
        switch storage {
        case "Half": self = .float16
        case "BFloat16": self = .bfloat16
        case "Float": self = .float32
        case "Double": self = .float64
        case "Byte": self = .uint8
        case "Char": self = .int8
        case "Short": self = .int16
        case "Int": self = .int32
        case "Long": self = .int64
        case "Bool": self = .bool
        default: return nil
        }
    }

    /// By the name of PyTorch's dtype.
    init?(dtype: String) {
        switch dtype {
        case "float16", "half": self = .float16
        case "bfloat16": self = .bfloat16
        case "float32", "float": self = .float32
        case "float64", "double": self = .float64
        case "uint8": self = .uint8
        case "int8": self = .int8
        case "int16", "short": self = .int16
        case "int32", "int": self = .int32
        case "int64", "long": self = .int64
        case "bool": self = .bool
        default: return nil
        }
    }

    /// By its name in a safetensors header.
    init?(safetensors: String) {
        switch safetensors {
        case "F16": self = .float16
        case "BF16": self = .bfloat16
        case "F32": self = .float32
        case "F64": self = .float64
        case "U8": self = .uint8
        case "I8": self = .int8
        case "I16": self = .int16
        case "I32": self = .int32
        case "I64": self = .int64
        case "BOOL": self = .bool
        default: return nil
        }
    }
}
