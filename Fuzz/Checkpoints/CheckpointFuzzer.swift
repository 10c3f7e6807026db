// A libFuzzer target: reads every input as an untrusted checkpoint of any format.

import FuzzSupport
import ModelTools
import ONNX

private let budget = CPUBudget()

/// libFuzzer's entry point: one input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    budget.run(bytes, count, read)
}

private func read(_ input: [UInt8]) {
    guard let checkpoint = try? Checkpoint(bytes: Bytes(input), name: "fuzz-dc5.pth") else { return }
    for tensor in checkpoint.tensors.values {
        // Views don't repeat elements, so their total size is bounded by the file.
        precondition(tensor.count <= input.count, "a tensor larger than its file")
        precondition(tensor.floats().count == tensor.count, "a tensor of another size than its shape")
    }
    if let weights = try? DETRWeights(checkpoint, options: DETROptions(), configuration: nil) {
        _ = try? DETRExport(
            checkpoint, weights: weights, options: DETRExportOptions(),
            description: .init(labels: nil, preprocessing: PreprocessorConfiguration(), version: "fuzz"))
    }
}
