internal import ONNX

/// The type of a value, without its shape.
enum ElementKind: Hashable, Sendable, CustomStringConvertible {
    case tensor(DataType)
    case sequence(DataType)
    case optional(DataType)
    case optionalSequence(DataType)
    /// A map, a sparse tensor, or any other type.
    case other

    init(_ type: ValueType) {
        switch type {
        case .tensor(let element, _): self = .tensor(element)
        case .sequence(.tensor(let element, _)): self = .sequence(element)
        case .optional(.tensor(let element, _)): self = .optional(element)
        case .optional(.sequence(.tensor(let element, _))): self = .optionalSequence(element)
        default: self = .other
        }
    }

    var element: DataType? {
        switch self {
        case .tensor(let type), .sequence(let type), .optional(let type), .optionalSequence(let type): type
        case .other: nil
        }
    }

    var description: String {
        switch self {
        case .tensor(let type): type.name
        case .sequence(let type): "a sequence of \(type.name)"
        case .optional(let type): "an optional \(type.name)"
        case .optionalSequence(let type): "an optional sequence of \(type.name)"
        case .other: "not a tensor"
        }
    }
}

/// The types that an operator allows in one place.
struct KindSet: Sendable {
    private var tensors: UInt32 = 0
    private var sequences: UInt32 = 0
    private var optionals: UInt32 = 0
    private var optionalSequences: UInt32 = 0
    private var hasOthers = false

    /// Parses "t1fffesfffem": see Scripts/make-operator-table.py.
    init?(_ text: Substring) {
        var rest = text
        while let letter = rest.popFirst() {
            let digits = rest.prefix { $0.isHexDigit }
            rest = rest.dropFirst(digits.count)
            guard letter == "m" || !digits.isEmpty, let bits = letter == "m" ? 0 : UInt32(digits, radix: 16) else {
                return nil
            }
            switch letter {
            case "t": tensors = bits
            case "s": sequences = bits
            case "o": optionals = bits
            case "p": optionalSequences = bits
            case "m": hasOthers = true
            default: return nil
            }
        }
    }

    func contains(_ kind: ElementKind) -> Bool {
        func has(_ bits: UInt32, _ type: DataType) -> Bool { bits & (1 << UInt32(type.rawValue)) != 0 }
        switch kind {
        case .tensor(let type): return has(tensors, type)
        case .sequence(let type): return has(sequences, type)
        case .optional(let type): return has(optionals, type)
        case .optionalSequence(let type): return has(optionalSequences, type)
        case .other: return hasOthers
        }
    }

    /// The kind, if there is only one.
    var only: ElementKind? {
        guard tensors.nonzeroBitCount == 1, sequences == 0, optionals == 0, optionalSequences == 0, !hasOthers else {
            return nil
        }
        return DataType(rawValue: tensors.trailingZeroBitCount).map { .tensor($0) }
    }

    var description: String {
        DataType.allCases.filter { contains(.tensor($0)) }.map(\.name).joined(separator: ", ")
    }
}
