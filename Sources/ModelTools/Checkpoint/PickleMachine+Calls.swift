internal import ONNX
internal import Remedies

/// What the calls of a pickle mean.
extension PickleMachine {
    static let remedy: Remedy =
        "A pickle can call any function; Apus reads only tensors and plain data, and executed nothing. If you trust the file, "
        + #"save its weights again with PyTorch: torch.save({"model": model.state_dict()}, "weights.pth")"#

    static func global(_ module: String?, _ name: String?) throws(ModelToolsError) -> PickleGlobal {
        guard let module, let name, module.utf8.count + name.utf8.count <= 512 else {
            throw .malformed("the pickle names a global that is not UTF-8 or is too long")
        }
        guard let global = PickleGlobal(module: module, name: name) else {
            throw ModelToolsError(
                .forbidden, "its pickle names \(module).\(name), which is neither a tensor nor plain data",
                remedy: remedy)
        }
        return global
    }

    mutating func call(_ callee: PickleValue, _ arguments: PickleValue) throws(ModelToolsError) -> PickleValue {
        guard case .global(let global) = callee, let values = elements(arguments) else {
            throw .malformed("the pickle calls something that is not a function")
        }
        let initial = values.first.flatMap(elements) ?? []
        switch global {
        case .orderedDict, .dict, .list, .set, .tuple, .size: try spend(initial.count)
        default: break
        }
        switch global {
        case .orderedDict, .dict: return .dict(dictionary(try initialEntries(initial)))
        case .namespace: return .dict(dictionary())
        case .list, .set: return .list(sequence(initial))
        case .tuple, .size: return .tuple(sequence(initial))
        case .device, .encode, .int, .float, .bool, .string: return values.first ?? .opaque
        case .rebuildTensor, .rebuildTensorV2: return .tensor(try tensor(values))
        case .rebuildParameter:
            guard case .tensor? = values.first else {
                throw .malformed("the pickle makes a parameter from something that is not a tensor")
            }
            return values[0]
        case .storage, .dtype:
            throw .malformed("the pickle calls \(global)")
        }
    }

    /// `OrderedDict([(key, value), …])`, as written by Python 2.
    private func initialEntries(
        _ items: [PickleValue]
    ) throws(ModelToolsError) -> [(key: PickleValue, value: PickleValue)] {
        var entries: [(key: PickleValue, value: PickleValue)] = []
        for item in items {
            guard let pair = elements(item), pair.count == 2 else {
                throw .malformed("the pickle makes a dict from something that is not pairs")
            }
            entries.append((pair[0], pair[1]))
        }
        return entries
    }

    /// Sets an object's state: a namespace's state is its entries; an OrderedDict's (`_metadata`) contains no weights.
    mutating func build(_ object: PickleValue, _ state: PickleValue) throws(ModelToolsError) {
        guard case .dict(let index) = object else { throw .malformed("the pickle sets a stateless object's state") }
        guard dictionaries[index].isEmpty, let entries = entries(state) else { return }
        try spend(entries.count)
        if entry("_metadata", of: state) == nil {
            dictionaries[index] = entries
        }
    }

    /// `("storage", class, key, location, count)`, the persistent id that torch.save writes.
    func storage(_ id: PickleValue) throws(ModelToolsError) -> StorageReference {
        guard let parts = elements(id), parts.count >= 5, case .string("storage") = parts[0],
            case .global(.storage(let type)) = parts[1], case .string(let key) = parts[2],
            case .int(let count) = parts[4], count >= 0, key.utf8.count <= 256
        else { throw .malformed("the pickle refers to a storage differently than torch.save") }
        if parts.count > 5, case .none = parts[5] {
        } else if parts.count > 5 {
            throw ModelToolsError(
                .unsupported, "it has views of storages, as written by PyTorch before 0.4",
                remedy: "Load it with PyTorch and save it again.")
        }
        return StorageReference(key: key, type: type, count: count)
    }

    /// `_rebuild_tensor(storage, offset, size, stride)` and `_rebuild_tensor_v2(…, requires_grad, backward_hooks)`.
    private func tensor(_ values: [PickleValue]) throws(ModelToolsError) -> TensorReference {
        guard values.count >= 4, case .storage(let storage) = values[0], case .int(let offset) = values[1],
            let shape = integers(values[2]), let strides = integers(values[3])
        else { throw .malformed("the pickle makes a tensor differently than torch.save") }
        guard let type = storage.type else {
            throw ModelToolsError(
                .unsupported, "it has a tensor of untyped storage", remedy: "Load it with PyTorch and save it again."
            )
        }
        return TensorReference(storage: storage, type: type, offset: offset, shape: shape, strides: strides)
    }

    private func integers(_ value: PickleValue) -> [Int]? {
        guard let values = elements(value), values.count <= 16 else { return nil }
        var integers: [Int] = []
        for case .int(let value) in values { integers.append(value) }
        return integers.count == values.count ? integers : nil
    }
}
