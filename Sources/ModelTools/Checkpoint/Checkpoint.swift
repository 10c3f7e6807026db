internal import Foundation
package import ONNX
internal import Remedies

/// The weights in a checkpoint file, and the information stored with them.
package struct Checkpoint: Sendable {
    package enum Format: String, Sendable {
        case pyTorchZip = "PyTorch (ZIP)"
        case pyTorchLegacy = "PyTorch (before 1.6)"
        case safetensors
    }

    package let name: String
    package let format: Format
    package let tensors: [String: CheckpointTensor]
    /// The entry of the file that holds the weights, such as "model"; nil if they are at the top level.
    package let entry: String?
    /// The training script's arguments, or the file's own metadata.
    package let arguments: [String: String]
    /// The whole file.
    package let bytes: Bytes

    /// The number of parameters in all tensors.
    package var parameterCount: Int { tensors.values.reduce(0) { $0 + $1.count } }

    /// Reads a checkpoint's description; the weights themselves stay in the mapped file.
    package init(path: String) throws(ModelToolsError) {
        try self.init(bytes: Bytes(mapping: path), name: URL(fileURLWithPath: path).lastPathComponent)
    }

    package init(bytes: Bytes, name: String) throws(ModelToolsError) {
        self.name = name
        self.bytes = bytes
        guard let format = Checkpoint.format(of: bytes) else { throw Checkpoint.unknown(bytes) }
        self.format = format
        switch format {
        case .safetensors:
            (tensors, arguments) = try Safetensors.read(bytes)
            entry = nil
        case .pyTorchZip, .pyTorchLegacy:
            let content = format == .pyTorchZip ? try PyTorchZip.read(bytes) : try PyTorchLegacy.read(bytes)
            (tensors, entry) = try content.weights()
            arguments = content.arguments
        }
    }

    /// The format, determined by the file's first bytes; nil if it is not a checkpoint.
    package static func format(of bytes: Bytes) -> Format? {
        if ZipArchive.matches(bytes) { return .pyTorchZip }
        if PyTorchLegacy.matches(bytes) { return .pyTorchLegacy }
        return Safetensors.matches(bytes) ? .safetensors : nil
    }

    private static func unknown(_ bytes: Bytes) -> ModelToolsError {
        let first = bytes.slice(0..<min(16, bytes.count)).array
        let start =
            first.allSatisfy { (0x20..<0x7F).contains($0) }
            ? #"it begins with the text "\#(String(decoding: first, as: UTF8.self))""#
            : "it begins with the bytes " + first.prefix(8).map { String($0, radix: 16) }.joined(separator: " ")
        return ModelToolsError(
            .unsupported, "it is not a checkpoint that Apus can read: \(start)",
            remedy: "Use a file written by torch.save (.pth, .pt), or safetensors.")
    }
}
