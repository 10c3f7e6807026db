internal import ONNX
internal import Remedies

/// The format of torch.save before PyTorch 1.6, used by the published DETR checkpoints: a magic number, a version, a description
/// of the machine and the data as pickles, then the keys of the storages and their bytes.
enum PyTorchLegacy {
    /// 0x1950a86a20f9469cfc6c as a protocol 2 pickle.
    private static let magic: [UInt8] =
        [0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E]

    static func matches(_ bytes: Bytes) -> Bool {
        bytes.count >= magic.count && bytes.slice(0..<magic.count).array == magic
    }

    static func read(_ bytes: Bytes) throws(ModelToolsError) -> PyTorchContent {
        var reader = ByteReader(bytes, from: magic.count, of: "the file")
        guard case .int(1001) = try PickleMachine.run(&reader).value else {
            throw ModelToolsError(
                .unsupported, "it has an unknown version of PyTorch's format",
                remedy: "Load it with PyTorch and save it again.")
        }
        let (system, description) = try PickleMachine.run(&reader)
        if case .bool(false)? = description.entry("little_endian", of: system) {
            throw ModelToolsError(
                .unsupported, "its numbers are big-endian", remedy: "Load it with PyTorch and save it again.")
        }
        let (root, machine) = try PickleMachine.run(&reader)
        let (list, keys) = try PickleMachine.run(&reader)
        var sizes: [String: Int] = [:]
        for storage in machine.storages {
            guard let type = storage.type else {
                throw ModelToolsError(
                    .unsupported, "it has a storage without a type", remedy: "Load it with PyTorch and save it again.")
            }
            guard sizes.updateValue(type.size, forKey: storage.key) ?? type.size == type.size else {
                throw .malformed("the storage \(storage.key) has two types")
            }
        }
        var contents: [String: Bytes] = [:]
        for element in keys.elements(list) ?? [] {
            guard case .string(let key) = element, let size = sizes[key] else {
                throw .malformed("it lists an unused storage")
            }
            let count = try reader.length()
            let (length, overflow) = count.multipliedReportingOverflow(by: size)
            guard !overflow else { throw .malformed("the storage \(key) claims \(count) elements") }
            contents[key] = try reader.take(length)
        }
        return PyTorchContent(root: root, pickle: machine) { [contents] storage throws(ModelToolsError) in
            guard let content = contents[storage.key] else { throw .malformed("the storage \(storage.key) is missing") }
            return content
        }
    }
}
