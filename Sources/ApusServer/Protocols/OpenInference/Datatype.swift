internal import Engine
internal import Remedies

/// The Open Inference Protocol's names of element types.
enum Datatype: String, Sendable {
    case bool = "BOOL"
    case uint8 = "UINT8"
    case int32 = "INT32"
    case int64 = "INT64"
    case float16 = "FP16"
    case float32 = "FP32"
    case float64 = "FP64"
    /// Strings or files: each element has its own length.
    case bytes = "BYTES"

    /// Bytes per element; nil if elements vary in length.
    var size: Int? {
        switch self {
        case .bool, .uint8: 1
        case .float16: 2
        case .int32, .float32: 4
        case .int64, .float64: 8
        case .bytes: nil
        }
    }

    init?(_ type: ElementType) {
        switch type {
        case .bool: self = .bool
        case .uint8: self = .uint8
        case .int32: self = .int32
        case .int64: self = .int64
        case .float16: self = .float16
        case .float32: self = .float32
        case .float64: self = .float64
        case .bfloat16: return nil
        }
    }

    /// - Throws: `ServerError` that names the input whose datatype is unknown.
    init(named text: String, of input: String) throws(ServerError) {
        guard let datatype = Datatype(rawValue: text) else {
            throw .badRequest(
                "The input \(Quoted(input)) has no known datatype",
                remedy: "Known datatypes: BOOL, UINT8, INT32, INT64, FP16, FP32, FP64 and BYTES.")
        }
        self = datatype
    }
}
