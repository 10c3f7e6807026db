internal import Apus
internal import Foundation
internal import HTTPTypes
internal import ONNXRuntime
internal import ServiceLifecycle

/// What a client asks by the Open Inference Protocol, whether by HTTP or by gRPC.
struct InferRequest: Sendable {
    var model: String
    var version: String?
    var id: String?
    var inputs: [InferTensor]
    /// Nil for all.
    var outputs: [String]?
    var threshold: Float?
    var limit: Int?
}

struct InferResponse: Sendable {
    var model: String
    var version: String
    var id: String?
    var outputs: [InferTensor]
}

/// A model as the protocol describes it.
struct ModelDescription: Sendable, Encodable {
    struct Tensor: Sendable, Encodable {
        var name: String
        var datatype: String
        /// -1 is any.
        var shape: [Int]
    }

    var name: String
    var versions: [String]
    var platform: String
    var inputs: [Tensor]
    var outputs: [Tensor]
}

/// The Open Inference Protocol (v2), without its forms.
///
/// Each model is there twice: under its name it takes encoded pictures and gives boxes; under its name and `.raw` it is the
/// network itself, for clients that prepare pictures and read answers themselves.
struct OpenInferenceService: Sendable {
    static let rawSuffix = ".raw"
    static let extensions = ["binary_tensor_data", "model_repository"]

    /// A model in the index of the repository.
    struct IndexEntry: Encodable, Sendable {
        var name: String
        var version: String
        var state: String
        var reason: String
    }

    /// Bytes of a response's tensors.
    static let maxResponseBytes = 64_000_000

    let predictor: Predictor

    private func find(_ name: String, _ version: String?) throws(ServerError) -> (model: ServedModel, isRaw: Bool) {
        let isRaw = name.hasSuffix(OpenInferenceService.rawSuffix)
        let model = try predictor.models.model(
            isRaw ? String(name.dropLast(OpenInferenceService.rawSuffix.count)) : name)
        if let version, !version.isEmpty, version != "\(model.version)" {
            throw ServerError(
                "model", .notFound, title: "There is no such model",
                detail: "The model \(name) has no version \(Quoted(version))",
                remedy: "It has version \(model.version).")
        }
        return (model, isRaw)
    }

    /// - Throws: `ServerError` if the model is not there, or not ready.
    func requireReady(_ name: String, _ version: String?) throws(ServerError) {
        let (model, _) = try find(name, version)
        if let fault = model.detector.deviceFault { throw ServerError(fault) }
    }

    /// Loads a model again. When the server is to stop, that is not waited for.
    func load(_ name: String) async throws {
        let models = predictor.models
        do {
            try await cancelWhenGracefulShutdown { try await models.load(name) }
        } catch is CancellationError where Task.isShuttingDownGracefully {
            throw ServerError.stopping
        }
    }

    func index(onlyReady: Bool) -> [IndexEntry] {
        let entries = predictor.models.all.flatMap { name, state, version, failure in
            let (word, reason) =
                switch state {
                case .ready: ("READY", failure == nil ? "" : "a newer file could not be loaded")
                case .loading: ("LOADING", "")
                case .failed: ("UNAVAILABLE", "it could not be loaded")
                case .unloaded: ("UNAVAILABLE", "unloaded")
                }
            return [name, name + OpenInferenceService.rawSuffix].map {
                IndexEntry(name: $0, version: version == 0 ? "" : "\(version)", state: word, reason: reason)
            }
        }
        return entries.filter { !onlyReady || $0.state == "READY" }
    }

    func describe(_ name: String, _ version: String?) throws(ServerError) -> ModelDescription {
        let (model, isRaw) = try find(name, version)
        guard isRaw else {
            return ModelDescription(
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
        func tensor(_ value: ValueInfo) -> ModelDescription.Tensor {
            .init(
                name: value.name, datatype: value.elementType.flatMap { Datatype($0) }?.rawValue ?? "UNKNOWN",
                shape: value.dimensions.map { $0.size ?? -1 })
        }
        let signature = model.detector.signature
        return ModelDescription(
            name: name, versions: ["\(model.version)"], platform: "onnxruntime_onnx",
            inputs: signature.inputs.map(tensor), outputs: signature.outputs.map(tensor))
    }

    func infer(
        _ request: InferRequest, in place: InferenceQueue.Place, record: RequestRecord
    ) async throws -> InferResponse {
        let (model, isRaw) = try find(request.model, request.version)
        let outputs =
            isRaw
            ? try await tensors(request, model, place, record) : try await objects(request, model, place, record)
        let bytes = outputs.reduce(0) { $0 + $1.byteCount }
        guard bytes <= OpenInferenceService.maxResponseBytes else {
            throw ServerError.badRequest(
                "The outputs have \(bytes) bytes; a response may have \(OpenInferenceService.maxResponseBytes)",
                remedy: "Request fewer outputs, or a smaller batch.")
        }
        return InferResponse(
            model: request.model, version: "\(model.version)", id: request.id, outputs: outputs)
    }

    /// The outputs that are requested, each once.
    private static func outputs(_ requested: [String]?, of known: [String]) throws(ServerError) -> [String] {
        guard let requested else { return known }
        let remedy = "There are \(known.sorted().joined(separator: ", "))."
        var names: Set<String> = []
        for name in requested {
            guard known.contains(name) else {
                throw .badRequest("There is no output \(Quoted(name))", remedy: remedy)
            }
            guard names.insert(name).inserted else {
                throw .badRequest("The output \(name) is requested twice", remedy: "Request each output once.")
            }
        }
        return requested
    }

    // MARK: Pictures in, boxes out

    private func objects(
        _ request: InferRequest, _ model: ServedModel, _ place: InferenceQueue.Place, _ record: RequestRecord
    ) async throws -> [InferTensor] {
        guard request.inputs.count == 1, let input = request.inputs.first, input.name == "image",
            case .items(let items) = input.content
        else {
            throw ServerError.badRequest(
                "The model \(model.name) takes one input, \"image\", of type BYTES: encoded pictures",
                remedy: "Tensors go to \(model.name)\(OpenInferenceService.rawSuffix).")
        }
        guard (1...16).contains(items.count) else {
            throw ServerError.badRequest("A request has 1 to 16 pictures; this one has \(items.count)")
        }
        let names = try OpenInferenceService.outputs(
            request.outputs, of: ["boxes", "scores", "labels", "categories", "pictures"])
        let pictures = items.enumerated().map { index, bytes in
            EncodedPicture(name: "picture \(index)", bytes: bytes, limits: predictor.limits)
        }
        let prediction = try await predictor.predict(
            pictures, model: model.name, threshold: request.threshold, in: place, record: record)
        let found = prediction.pictures.enumerated().flatMap { index, picture in
            picture.result.detections.prefix(request.limit ?? .max).map { (index, $0) }
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

    // MARK: Tensors in, tensors out

    private func tensors(
        _ request: InferRequest, _ model: ServedModel, _ place: InferenceQueue.Place, _ record: RequestRecord
    ) async throws -> [InferTensor] {
        record.update {
            $0.model = model.name
            $0.device = model.detector.execution.device
        }
        let signature = model.detector.signature
        let names = try OpenInferenceService.outputs(request.outputs, of: signature.outputs.map(\.name))
        var inputs: [String: Tensor] = [:]
        for input in request.inputs {
            guard !input.shape.contains(0) else {
                throw ServerError.badRequest(
                    "The input \(Quoted(input.name)) is empty: a side of its shape is 0")
            }
            let tensor = try input.tensor()
            guard signature.inputs.contains(where: { $0.name == input.name }) else {
                throw ServerError.badRequest(
                    "There is no input \(Quoted(input.name))",
                    remedy: "There are \(signature.inputs.map(\.name).sorted().joined(separator: ", ")).")
            }
            guard inputs.updateValue(tensor, forKey: input.name) == nil else {
                throw ServerError.badRequest("The input \(Quoted(input.name)) is given twice")
            }
        }
        let outcome = try await predictor.queue.perform(with: model, in: place) { [inputs] cancellation in
            let start = ContinuousClock.now
            let outputs = try model.detector.infer(inputs, outputs: names, cancellation: cancellation)
            return (outputs, ContinuousClock.now - start)
        }
        var timings = StageTimings()
        timings.queue = outcome.waited.milliseconds
        timings.inference = outcome.value.1.milliseconds
        record.update { [timings] in $0.timings = timings }
        return try names.map { name in
            guard let tensor = outcome.value.0[name], let output = InferTensor(name: name, tensor) else {
                throw ServerError.badRequest("The output \(name) is of a type that the protocol has no name for")
            }
            return output
        }
    }
}
