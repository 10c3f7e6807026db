// A libFuzzer target: every input is the pickle of an otherwise valid checkpoint.

import FuzzSupport
import ModelTools
import ONNX

private func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

/// A ZIP of stored entries, as torch.save writes it.
private func zip(_ entries: [(name: String, content: [UInt8])]) -> [UInt8] {
    var file: [UInt8] = []
    var directory: [UInt8] = []
    for (name, content) in entries {
        let sizes = little(0, 4) + little(content.count, 4) + little(content.count, 4) + little(name.utf8.count, 2)
        directory += little(0x0201_4B50, 4) + [20, 0, 20, 0] + [UInt8](repeating: 0, count: 8) + sizes
        directory += [UInt8](repeating: 0, count: 12) + little(file.count, 4) + Array(name.utf8)
        file += little(0x0403_4B50, 4) + [20, 0] + [UInt8](repeating: 0, count: 8) + sizes + [0, 0] + Array(name.utf8)
        file += content
    }
    let counts = little(entries.count, 2) + little(entries.count, 2)
    return file + directory + little(0x0605_4B50, 4) + [0, 0, 0, 0] + counts + little(directory.count, 4)
        + little(file.count, 4) + [0, 0]
}

private let budget = CPUBudget()

/// libFuzzer's entry point: one input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    budget.run(bytes, count, read)
}

private func read(_ input: [UInt8]) {
    let file = zip([("a/data.pkl", input), ("a/data/0", [UInt8](repeating: 1, count: 256))])
    guard let checkpoint = try? Checkpoint(bytes: Bytes(file), name: "fuzz.pth") else { return }
    for tensor in checkpoint.tensors.values {
        precondition(tensor.floats().count <= 256, "a tensor larger than its storage")
    }
}
