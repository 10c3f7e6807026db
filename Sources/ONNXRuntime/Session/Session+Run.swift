internal import COnnxRuntime
package import Engine
internal import Foundation
internal import Remedies

extension Session {
    /// Runs the model on the calling thread.
    ///
    /// - Parameters:
    ///   - inputs: one tensor per input, by name.
    ///   - names: the outputs to compute; nil for all.
    ///   - cancellation: stops the run from another thread.
    /// - Throws: `invalidInput` before anything runs if the inputs do not match the model, `cancelled` or `runFailed`.
    package func run(
        _ inputs: [String: Tensor], outputs names: [String]? = nil, cancellation: RunCancellation? = nil
    ) throws(EngineError) -> [String: Tensor] {
        let names = names ?? outputs.map(\.name)
        try refuseDefaults(inputs)
        try check(inputs, outputs: names, optional: overridableInputs)
        let mark = runtime.log.mark()
        do {
            return try run(Array(inputs), names, cancellation: cancellation)
        } catch {
            if cancellation?.isCancelled == true {
                // The runtime reports it if it stopped between nodes.
                let wasStopped = error.message.contains("terminate flag")
                throw EngineError(
                    .cancelled, doing: "run the model",
                    cause: "the run was cancelled, and " + (wasStopped ? "stopped" : "ran to completion"))
            }
            let log = runtime.log.lines(since: mark, atLeast: LogRecorder.warning)
            let sizes = inputs.map { "\($0.key) \($0.value.shape)" }.sorted().joined(separator: ", ")
            throw EngineError(
                error.code == API.StatusCode.invalidArgument ? .invalidInput : .runFailed,
                doing: "run the model on \(sizes)", cause: error.message,
                remedy:
                    "Try \(setting: .provider, "cpu"), which runs the model without OpenVINO, to see which of the two fails.",
                log: log)
        }
    }

    private func run(
        _ inputs: [(key: String, value: Tensor)], _ names: [String], cancellation: RunCancellation?
    ) throws(API.Failure) -> [String: Tensor] {
        let api = runtime.api
        let options = try api.make { OrtCreateRunOptions(api.table, $0) }
        defer { OrtReleaseRunOptions(api.table, options) }
        cancellation?.attach {
            if let status = OrtRunOptionsSetTerminate(api.table, options) { OrtReleaseStatus(api.table, status) }
        }
        defer { cancellation?.detach() }

        var values: [OpaquePointer?] = []
        var results = [OpaquePointer?](repeating: nil, count: names.count)
        var text: [UnsafeMutablePointer<CChar>?] = []
        defer {
            for case let value? in values { OrtReleaseValue(api.table, value) }
            for case let result? in results { OrtReleaseValue(api.table, result) }
            text.forEach { free($0) }
        }
        for (_, tensor) in inputs { values.append(try api.value(over: tensor, memory: cpuMemory)) }
        text = (inputs.map(\.key) + names).map { strdup($0) }
        let pointers = text.map { $0.map { UnsafePointer($0) } }

        let status = withExtendedLifetime(inputs) {
            pointers.withUnsafeBufferPointer { pointers in
                OrtRun(
                    api.table, handle, options, pointers.baseAddress, values, inputs.count,
                    pointers.baseAddress.map { $0 + inputs.count }, names.count, &results)
            }
        }
        try api.check(status)
        // A provider that takes the whole model as one node doesn't check the flag while it computes.
        if cancellation?.isCancelled == true { throw API.Failure(code: 0, message: "cancelled") }

        var tensors: [String: Tensor] = [:]
        for (index, name) in names.enumerated() {
            guard let value = results[index] else {
                throw API.Failure(code: 0, message: "the runtime returned no value for the output \(name)")
            }
            results[index] = nil
            tensors[name] = try api.tensor(owning: value, session: self)
        }
        return tensors
    }

    /// The OpenVINO provider always uses an input's default value.
    private func refuseDefaults(_ given: [String: Tensor]) throws(EngineError) {
        guard case .openVINO = target, let name = overridableInputs.first(where: { given[$0] != nil }) else { return }
        throw EngineError(
            .invalidInput, doing: "run the model",
            cause: "input \(name) has a default value in the model, and the OpenVINO provider always uses it",
            remedy: "Export the model with \(name) as an input without a default (no initializer).")
    }
}

extension API {
    /// A value that borrows the tensor's memory: the tensor must outlive it.
    fileprivate func value(over tensor: Tensor, memory: OpaquePointer) throws(Failure) -> OpaquePointer {
        let shape = tensor.shape.map { Int64($0) }
        return try tensor.withBytes { bytes throws(Failure) in
            try make {
                OrtCreateTensorWithDataAsOrtValue(
                    table, memory, UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count, shape,
                    shape.count, tensor.elementType.rawValue, $0)
            }
        }
    }

    /// A tensor that takes ownership of an output value.
    fileprivate func tensor(owning value: OpaquePointer, session: Session) throws(Failure) -> Tensor {
        do throws(Failure) {
            var isTensor: Int32 = 0
            try check(OrtIsTensor(table, value, &isTensor))
            guard isTensor != 0 else { throw Failure(code: 0, message: "an output is not a tensor") }
            let info = try make { OrtGetTensorTypeAndShape(table, value, $0) }
            defer { OrtReleaseTensorTypeAndShapeInfo(table, info) }
            let (rawType, shape) = try typeAndShape(info)
            guard let type = ElementType(rawValue: rawType) else {
                throw Failure(code: 0, message: "an output has the unsupported element type \(rawType)")
            }
            var data: UnsafeMutableRawPointer?
            try check(OrtGetTensorMutableData(table, value, &data))
            let bytes = UnsafeRawBufferPointer(start: data, count: shape.reduce(type.size, *))
            let storage = RuntimeBuffer(value: value, bytes: bytes, session: session)
            return Tensor(elementType: type, shape: shape, storage: storage)
        } catch {
            OrtReleaseValue(table, value)
            throw error
        }
    }
}
