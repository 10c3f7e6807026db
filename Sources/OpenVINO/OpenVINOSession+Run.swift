internal import COpenVINO
package import Engine
internal import Foundation
internal import Remedies

extension OpenVINOSession {
    package func run(
        _ inputs: [String: Tensor], outputs names: [String]? = nil, cancellation: RunCancellation? = nil
    ) throws(EngineError) -> [String: Tensor] {
        let names = names ?? outputs.map(\.name)
        try check(inputs, outputs: names)
        do {
            let request = try takeRequest()
            // One that failed or was cancelled is not used again.
            var isReusable = false
            defer { isReusable ? idleRequests.withLock { $0.append(request) } : functions.freeRequest(request) }
            let results = try run(request, inputs, names, cancellation)
            isReusable = true
            return results
        } catch {
            if cancellation?.isCancelled == true {
                throw EngineError(
                    .cancelled, doing: "run the model",
                    cause: "the run was cancelled, and " + (error.isCancellation ? "stopped" : "ran to completion"))
            }
            let sizes = inputs.map { "\($0.key) \($0.value.shape)" }.sorted().joined(separator: ", ")
            throw EngineError(
                .runFailed, doing: "run the model on \(sizes)", cause: error.message,
                remedy:
                    "Try ONNX Runtime's own CPU kernels, to see which of the two fails: \(setting: .provider, "cpu").")
        }
    }

    private var library: OpenVINOLibrary { openVINO.core.library }

    private func takeRequest() throws(OpenVINOLibrary.Failure) -> OpaquePointer {
        if let request = idleRequests.withLock({ $0.popLast() }) { return request }
        return try library.make { functions.createRequest(compiled, $0) }
    }

    private func run(
        _ request: OpaquePointer, _ given: [String: Tensor], _ names: [String], _ cancellation: RunCancellation?
    ) throws(OpenVINOLibrary.Failure) -> [String: Tensor] {
        // Until its next run the request refers to memory that may be gone by then; every run first sets every input.
        for (index, input) in inputs.enumerated() {
            guard let tensor = given[input.name] else { continue }
            let borrowed = try library.tensor(over: tensor, functions)
            defer { functions.freeTensor(borrowed) }
            try library.check(functions.setInput(request, index, borrowed))
        }
        cancellation?.attach { [functions] in _ = functions.cancel(request) }
        let status = withExtendedLifetime(given) { functions.infer(request) }
        cancellation?.detach()
        try library.check(status)
        if cancellation?.isCancelled == true {
            throw OpenVINOLibrary.Failure(status: 0, message: "cancelled")
        }
        var results: [String: Tensor] = [:]
        for (index, output) in outputs.enumerated() where names.contains(output.name) {
            let tensor = try library.make { functions.getOutput(request, index, $0) }
            defer { functions.freeTensor(tensor) }
            results[output.name] = try library.copy(of: tensor, functions)
        }
        return results
    }
}

extension OpenVINOLibrary {
    /// A tensor that borrows the memory of ours, which must outlive the run.
    fileprivate func tensor(
        over tensor: Tensor, _ model: OpenVINOModelFunctions
    ) throws(Failure) -> OpaquePointer {
        var dimensions = tensor.shape.map { Int64($0) }
        return try tensor.withBytes { bytes throws(Failure) in
            try dimensions.withUnsafeMutableBufferPointer { dimensions throws(Failure) in
                let shape = ov_shape_t(rank: Int64(dimensions.count), dims: dimensions.baseAddress)
                return try make {
                    model.tensorOverMemory(
                        tensor.elementType.openVINOType, shape, UnsafeMutableRawPointer(mutating: bytes.baseAddress), $0
                    )
                }
            }
        }
    }

    fileprivate func copy(of tensor: OpaquePointer, _ model: OpenVINOModelFunctions) throws(Failure) -> Tensor {
        var shape = ov_shape_t()
        try check(model.tensorShape(tensor, &shape))
        defer { _ = model.freeShape(&shape) }
        var rawType: UInt32 = 0
        try check(model.tensorType(tensor, &rawType))
        guard let type = ElementType(openVINOType: rawType) else {
            throw Failure(status: 0, message: "an output has the unsupported element type \(rawType)")
        }
        var count = 0
        try check(model.tensorByteCount(tensor, &count))
        var data: UnsafeMutableRawPointer?
        try check(model.tensorData(tensor, &data))
        let dimensions = (0..<Int(shape.rank)).map { Int(shape.dims[$0]) }
        do {
            return try Tensor(elementType: type, shape: dimensions) {
                $0.copyMemory(from: UnsafeRawBufferPointer(start: data, count: min(count, $0.count)))
            }
        } catch {
            throw Failure(status: 0, message: error.cause)
        }
    }
}
