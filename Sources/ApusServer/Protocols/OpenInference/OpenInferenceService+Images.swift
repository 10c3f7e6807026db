internal import Apus
internal import Remedies

/// Images in, boxes out.
extension OpenInferenceService {
    private static let outputNames = ["boxes", "scores", "labels", "categories", "pictures"]
    private static let maxImages = 16

    func detect(
        _ request: InferRequest, _ model: ServedModel, _ place: InferenceQueue.Place, _ record: RequestRecord
    ) async throws -> [InferTensor] {
        guard request.inputs.count == 1, let input = request.inputs.first, input.name == "image",
            case .items(let items) = input.content
        else {
            throw ServerError.badRequest(
                "The model \(model.name) accepts one input, \"image\", of type BYTES: encoded images",
                remedy: "Send tensors to \(model.name)\(OpenInferenceService.rawSuffix).")
        }
        guard (1...OpenInferenceService.maxImages).contains(items.count) else {
            throw ServerError.badRequest(
                "A request must have 1 to \(OpenInferenceService.maxImages) images; this one has \(items.count)")
        }
        let names = try OpenInferenceService.outputs(request.outputs, of: OpenInferenceService.outputNames)
        let images = items.enumerated().map { index, bytes in
            EncodedImage(name: "image \(index)", bytes: bytes, limits: predictor.limits)
        }
        let prediction = try await predictor.predict(
            images, with: model, threshold: request.threshold, in: place, record: record)
        let found = prediction.images.enumerated().flatMap { index, image in
            image.result.detections.prefix(request.limit ?? .max).map { (index, $0) }
        }
        let count = found.count
        let all = [
            InferTensor(
                name: "boxes", shape: [count, 4],
                found.flatMap { [$1.box.xMin, $1.box.yMin, $1.box.xMax, $1.box.yMax] }),
            InferTensor(name: "scores", shape: [count], found.map { $1.score }),
            InferTensor(name: "labels", shape: [count], found.map { Int64($1.label) }),
            InferTensor(name: "categories", shape: [count], texts: found.map { $1.category ?? "" }),
            InferTensor(name: "pictures", shape: [count], found.map { Int64($0.0) }),
        ]
        return names.compactMap { name in all.first { $0.name == name } }
    }
}

extension ModelDescription {
    /// A model that accepts encoded images.
    init(images model: ServedModel, named name: String) {
        self.init(
            name: name, versions: ["\(model.version)"], platform: "apus",
            inputs: [.init(name: "image", datatype: "BYTES", shape: [-1])],
            outputs: [
                .init(name: "boxes", datatype: "FP32", shape: [-1, 4]),
                .init(name: "scores", datatype: "FP32", shape: [-1]),
                .init(name: "labels", datatype: "INT64", shape: [-1]),
                .init(name: "categories", datatype: "BYTES", shape: [-1]),
                .init(name: "pictures", datatype: "INT64", shape: [-1]),
            ])
    }
}
