internal import ONNX
internal import Remedies

/// A pickle's data with access to its storages, common to PyTorch's two formats.
struct PyTorchContent {
    let root: PickleValue
    let pickle: PickleMachine
    private let contents: (StorageReference) throws(ModelToolsError) -> Bytes

    init(
        root: PickleValue, pickle: PickleMachine,
        contents: @escaping (StorageReference) throws(ModelToolsError) -> Bytes
    ) {
        self.root = root
        self.pickle = pickle
        self.contents = contents
    }

    /// Names under which training scripts store the weights; the first one found is used.
    private static let names = ["model", "state_dict", "model_state_dict", "module", "net", "weights"]

    /// The weights by name, and the entry of the file that contains them.
    func weights() throws(ModelToolsError) -> (tensors: [String: CheckpointTensor], entry: String?) {
        var dict = root
        var path: [String] = []
        // At most as deep as {"checkpoint": {"model": …}}.
        for _ in 0..<3 {
            let tensors = try tensors(in: dict)
            if !tensors.isEmpty { return (tensors, path.isEmpty ? nil : path.joined(separator: ".")) }
            guard
                let name = PyTorchContent.names.first(where: {
                    pickle.entries(pickle.entry($0, of: dict) ?? .none) != nil
                }),
                let inner = pickle.entry(name, of: dict)
            else { break }
            path.append(name)
            dict = inner
        }
        let keys = (pickle.entries(root) ?? []).prefix(8).map { if case .string(let key) = $0.key { key } else { "?" } }
        throw ModelToolsError(
            .architecture,
            "it contains no weights: neither tensors nor a dict of tensors under \(PyTorchContent.names.joined(separator: ", "))"
                + (keys.isEmpty ? "" : "; its entries are \(keys.joined(separator: ", "))"),
            remedy: #"Save a state dict: torch.save({"model": model.state_dict()}, "weights.pth")"#)
    }

    private func tensors(in dict: PickleValue) throws(ModelToolsError) -> [String: CheckpointTensor] {
        var tensors: [String: CheckpointTensor] = [:]
        for (key, value) in pickle.entries(dict) ?? [] {
            guard case .string(let key) = key, case .tensor(let reference) = value else { continue }
            tensors[key] = try tensor(reference, key)
        }
        return tensors
    }

    private func tensor(_ reference: TensorReference, _ key: String) throws(ModelToolsError) -> CheckpointTensor {
        let content = try contents(reference.storage)
        let (size, overflow) = reference.storage.count.multipliedReportingOverflow(by: reference.type.size)
        guard !overflow, size <= content.count else {
            throw .malformed(
                "the storage of \(key) should have \(reference.storage.count) elements of \(reference.type.name), "
                    + "but has \(content.count) bytes")
        }
        do {
            return try CheckpointTensor(
                type: reference.type, shape: reference.shape, strides: reference.strides, offset: reference.offset,
                storage: content.slice(0..<size))
        } catch {
            var named = error
            named.cause = BoundedText.shortened(key) + ": " + error.cause
            throw named
        }
    }

    /// The training script's arguments (`args`) that are numbers or text.
    var arguments: [String: String] {
        var arguments: [String: String] = [:]
        for (key, value) in pickle.entries(pickle.entry("args", of: root) ?? .none) ?? [] {
            guard case .string(let key) = key else { continue }
            switch value {
            case .bool(let value): arguments[key] = "\(value)"
            case .int(let value): arguments[key] = "\(value)"
            case .float(let value): arguments[key] = "\(value)"
            case .string(let value): arguments[key] = value
            default: break
            }
        }
        return arguments
    }
}
