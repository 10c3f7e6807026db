internal import Apus
internal import Engine
internal import Remedies
internal import ServiceLifecycle

/// The Open Inference Protocol (v2), independent of the transport.
///
/// Each model is available twice: under its name, it accepts encoded images and returns boxes; under its name and `.raw`, it
/// is the raw network, for clients that preprocess images and decode outputs themselves.
struct OpenInferenceService: Sendable {
    static let rawSuffix = ".raw"
    static let extensions = ["binary_tensor_data", "model_repository"]

    /// The model that a request names; the request keeps it until it ends.
    struct Target: Sendable {
        /// The client's name for it.
        var name: String
        var model: ServedModel
        var isRaw: Bool
    }

    /// A model in the repository index.
    struct IndexEntry: Encodable, Sendable {
        var name: String
        var version: String
        var state: String
        var reason: String
    }

    /// Maximum bytes of a response's tensors.
    static let maxResponseBytes = 64_000_000

    let predictor: Predictor

    // MARK: Models

    private func find(_ name: String, _ version: String?) throws(ServerError) -> Target {
        let isRaw = name.hasSuffix(OpenInferenceService.rawSuffix)
        let model = try predictor.model(isRaw ? String(name.dropLast(OpenInferenceService.rawSuffix.count)) : name)
        if let version, !version.isEmpty, version != "\(model.version)" {
            throw ServerError(
                .model, "The model \(name) does not have version \(Quoted(version))",
                remedy: "Its version is \(model.version).")
        }
        return Target(name: name, model: model, isRaw: isRaw)
    }

    /// - Throws: `ServerError` if the model isn't there, isn't loaded, or is on a device that returns invalid results.
    func ready(_ name: String, _ version: String?) throws(ServerError) -> Target {
        let target = try find(name, version)
        if let fault = target.model.detector.deviceFault { throw ServerError(fault) }
        return target
    }

    /// Reloads a model. Shutdown does not wait for it.
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
        let target = try find(name, version)
        return target.isRaw
            ? ModelDescription(network: target.model, named: name) : ModelDescription(images: target.model, named: name)
    }

    // MARK: Inference

    func infer(
        _ request: InferRequest, on target: Target, in place: InferenceQueue.Place, record: RequestRecord
    ) async throws -> InferResponse {
        let outputs =
            target.isRaw
            ? try await runNetwork(request, target.model, place, record)
            : try await detect(request, target.model, place, record)
        let bytes = outputs.reduce(0) { $0 + $1.byteCount }
        guard bytes <= OpenInferenceService.maxResponseBytes else {
            throw ServerError.badRequest(
                "The outputs have \(bytes) bytes; a response is limited to \(OpenInferenceService.maxResponseBytes)",
                remedy: "Request fewer outputs, or a smaller batch.")
        }
        return InferResponse(
            model: target.name, version: "\(target.model.version)", id: request.id, outputs: outputs)
    }

    /// The requested outputs, each once.
    static func outputs(_ requested: [String]?, of known: [String]) throws(ServerError) -> [String] {
        guard let requested else { return known }
        let remedy: Remedy = "Available outputs: \(known.sorted().joined(separator: ", "))."
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
}
