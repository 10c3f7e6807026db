// A libFuzzer target: reads every input as an untrusted ONNX model, converts it, and writes it.

import FuzzSupport
import ModelTools
import ONNX

/// A model of a few KB may have hundreds of nodes: converting it costs up to 5 µs per byte on a busy machine.
private let budget = CPUBudget(minSecondsPerByte: 400e-9)

/// libFuzzer's entry point: one input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    budget.run(bytes, count, read)
}

private func read(_ input: [UInt8]) {
    guard let model = try? ONNXModel(Bytes(input)) else { return }
    _ = ModelSummary(model, fileBytes: input.count)
    _ = ShapeEvaluation(model, batch: 1, height: 64, width: 64)
    for target in PrecisionTarget.allCases {
        var options = PrecisionOptions()
        options.target = target
        guard let (result, _) = try? PrecisionConverter.convert(model, options),
            let written = try? ONNXFile.skeleton(result)
        else { continue }
        // The output must be a valid model.
        guard (try? ONNXModel(Bytes(written))) != nil else { preconditionFailure("a model that cannot be read again") }
    }
}
