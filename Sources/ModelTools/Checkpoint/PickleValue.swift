internal import ONNX

/// What a pickle describes. Containers are indices into the `Pickle` that they belong to: a hostile file may nest them to any
/// depth, or make them contain themselves, and nothing here follows them by recursion.
enum PickleValue: Sendable {
    case none
    case bool(Bool)
    case int(Int)
    case float(Double)
    case string(String)
    case bytes(Bytes)
    case tuple(Int)
    case list(Int)
    case dict(Int)
    /// An allow-listed global, such as "torch._utils._rebuild_tensor_v2".
    case global(PickleGlobal)
    /// A number too large to matter, or a device: accepted and ignored.
    case opaque
    case storage(StorageReference)
    case tensor(TensorReference)
}

/// A storage as a pickle refers to it. Its bytes are elsewhere in the file.
struct StorageReference: Sendable, Hashable {
    var key: String
    /// Nil if untyped: the tensor has the type.
    var type: ScalarType?
    /// The number of elements; for an untyped storage, of bytes.
    var count: Int
}

struct TensorReference: Sendable {
    var storage: StorageReference
    var type: ScalarType
    var offset: Int
    var shape: [Int]
    var strides: [Int]
}

/// The globals that a checkpoint may name. Nothing else is looked up or called.
enum PickleGlobal: Sendable, Equatable {
    case orderedDict, dict, list, tuple, set, namespace
    case rebuildTensor, rebuildTensorV2, rebuildParameter
    case storage(ScalarType?)
    case dtype(ScalarType)
    case size, device, encode, int, float, bool, string

    init?(module: String, name: String) {
        switch (module, name) {
        case ("collections", "OrderedDict"): self = .orderedDict
        case ("builtins", _), ("__builtin__", _):
            switch name {
            case "dict": self = .dict
            case "list": self = .list
            case "tuple": self = .tuple
            case "set", "frozenset": self = .set
            case "int", "long": self = .int
            case "float": self = .float
            case "bool": self = .bool
            case "str", "unicode": self = .string
            default: return nil
            }
        case ("argparse", "Namespace"): self = .namespace
        case ("torch._utils", "_rebuild_tensor"): self = .rebuildTensor
        case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensorV2
        case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
        case ("torch", "Size"): self = .size
        case ("torch", "device"): self = .device
        case ("_codecs", "encode"): self = .encode
        case ("torch.storage", "UntypedStorage"), ("torch", "UntypedStorage"): self = .storage(nil)
        case ("torch", _), ("torch.cuda", _):
            if name.hasSuffix("Storage"), let type = ScalarType(storage: String(name.dropLast(7))) {
                self = .storage(type)
            } else if module == "torch", let type = ScalarType(dtype: name) {
                self = .dtype(type)
            } else {
                return nil
            }
        default: return nil
        }
    }
}
