internal import Apus
internal import Engine
internal import Remedies

/// Tensors in, tensors out.
extension OpenInferenceService {
    func runNetwork(
        _ request: InferRequest, _ model: ServedModel, _ place: InferenceQueue.Place, _ record: RequestRecord
    ) async throws -> [InferTensor] {
        let signature = model.detector.signature
        let names = try OpenInferenceService.outputs(request.outputs, of: signature.outputs.map(\.name))
        let inputs = try OpenInferenceService.inputs(request.inputs, signature)
        let outputs = try await predictor.infer(inputs, outputs: names, with: model, in: place, record: record)
        return try names.map { name in
            guard let tensor = outputs[name], let output = InferTensor(name: name, tensor) else {
                throw ServerError.badRequest("The protocol has no datatype for the output \(name)")
            }
            return output
        }
    }

    private static func inputs(_ sent: [InferTensor], _ signature: ModelSignature) throws -> [String: Tensor] {
        var inputs: [String: Tensor] = [:]
        for input in sent {
            guard !input.shape.contains(0) else {
                throw ServerError.badRequest("The input \(Quoted(input.name)) is empty: its shape contains a 0")
            }
            let tensor = try input.tensor()
            guard signature.inputs.contains(where: { $0.name == input.name }) else {
                throw ServerError.badRequest(
                    "There is no input \(Quoted(input.name))",
                    remedy: "Available inputs: \(signature.inputs.map(\.name).sorted().joined(separator: ", ")).")
            }
            guard inputs.updateValue(tensor, forKey: input.name) == nil else {
                throw ServerError.badRequest("The input \(Quoted(input.name)) is given twice")
            }
        }
        return inputs
    }
}

extension ModelDescription {
    /// A network, with its own inputs and outputs.
    init(network model: ServedModel, named name: String) {
        func tensor(_ value: ValueInfo) -> Tensor {
            Tensor(
                name: value.name, datatype: value.elementType.flatMap { Datatype($0) }?.rawValue ?? "UNKNOWN",
                shape: value.dimensions.map { $0.size ?? -1 })
        }
        let signature = model.detector.signature
        self.init(
            name: name, versions: ["\(model.version)"], platform: "onnxruntime_onnx",
            inputs: signature.inputs.map(tensor), outputs: signature.outputs.map(tensor))
    }
}
