internal import Apus
internal import GRPCCore
internal import HTTPTypes
internal import Remedies
internal import SwiftProtobuf

/// The Open Inference Protocol over gRPC.
struct OpenInferenceGRPC: Inference_GRPCInferenceService.SimpleServiceProtocol {
    let service: OpenInferenceService
    let bodies: BodyReader
    let version: String
    let log: RequestLog

    private var models: ModelRegistry { service.predictor.models }

    // MARK: Health

    func serverLive(
        request: Inference_ServerLiveRequest, context: GRPCCore.ServerContext
    ) async throws -> Inference_ServerLiveResponse {
        .with { $0.live = true }
    }

    func serverReady(
        request: Inference_ServerReadyRequest, context: GRPCCore.ServerContext
    ) async throws -> Inference_ServerReadyResponse {
        .with { $0.ready = models.isReady }
    }

    func modelReady(
        request: Inference_ModelReadyRequest, context: GRPCCore.ServerContext
    ) async throws -> Inference_ModelReadyResponse {
        let isReady = (try? service.ready(request.name, request.version)) != nil
        return .with { $0.ready = isReady }
    }

    // MARK: Descriptions

    func serverMetadata(
        request: Inference_ServerMetadataRequest, context: GRPCCore.ServerContext
    ) async throws -> Inference_ServerMetadataResponse {
        try await recorded(context) { _, _ in
            .with {
                $0.name = "apus"
                $0.version = version
                $0.extensions = OpenInferenceService.extensions
            }
        }
    }

    func modelMetadata(
        request: Inference_ModelMetadataRequest, context: GRPCCore.ServerContext
    ) async throws -> Inference_ModelMetadataResponse {
        try await recorded(context) { _, _ in
            let found = try service.describe(request.name, request.version)
            func tensor(
                _ own: ModelDescription.Tensor
            ) -> Inference_ModelMetadataResponse.TensorMetadata {
                .with {
                    $0.name = own.name
                    $0.datatype = own.datatype
                    $0.shape = own.shape.map { Int64($0) }
                }
            }
            return .with {
                $0.name = found.name
                $0.versions = found.versions
                $0.platform = found.platform
                $0.inputs = found.inputs.map(tensor)
                $0.outputs = found.outputs.map(tensor)
            }
        }
    }

    // MARK: Inference

    func modelInfer(
        request: Inference_ModelInferRequest, context: GRPCCore.ServerContext
    ) async throws -> Inference_ModelInferResponse {
        try await recorded(context) { record, task in
            let target = try service.ready(request.modelName, request.modelVersion)
            let lease = try self.lease(for: request)
            defer { withExtendedLifetime(lease) {} }
            let response = try await service.predictor.admitted(task) { place in
                try await service.infer(try InferRequest(request), on: target, in: place, record: record)
            }
            return Inference_ModelInferResponse(response)
        }
    }

    /// Counts the size of the inputs. The message was counted on arrival, but decoded numbers need more.
    private func lease(for request: Inference_ModelInferRequest) throws(ServerError) -> BodyReader.Lease {
        let numbers = request.inputs.reduce(0) { $0 + $1.contents.numberBytes }
        let bytes =
            numbers + request.rawInputContents.reduce(0) { $0 + $1.count }
            + request.inputs.reduce(0) { $0 + $1.contents.bytesContents.reduce(0) { $0 + $1.count } }
        let limit = service.predictor.limits.bytes
        guard bytes <= limit else {
            throw .tooLarge(
                "The inputs have \(bytes) bytes; \(limit) are allowed",
                remedy: "Send a smaller image, or raise the server's setting \(setting: .maxBody).")
        }
        let lease = bodies.lease()
        try lease.take(numbers)
        return lease
    }

    // MARK: Repository

    func repositoryIndex(
        request: Inference_RepositoryIndexRequest, context: GRPCCore.ServerContext
    ) async throws -> Inference_RepositoryIndexResponse {
        try await recorded(context) { _, _ in
            .with { message in
                message.models = service.index(onlyReady: request.ready).map { entry in
                    .with {
                        $0.name = entry.name
                        $0.version = entry.version
                        $0.state = entry.state
                        $0.reason = entry.reason
                    }
                }
            }
        }
    }

    func repositoryModelLoad(
        request: Inference_RepositoryModelLoadRequest, context: GRPCCore.ServerContext
    ) async throws -> Inference_RepositoryModelLoadResponse {
        try await recorded(context) { _, _ in
            try InferParameters.check(request.parameters.keys, .load)
            try await service.load(request.modelName)
            return Inference_RepositoryModelLoadResponse()
        }
    }

    func repositoryModelUnload(
        request: Inference_RepositoryModelUnloadRequest, context: GRPCCore.ServerContext
    ) async throws -> Inference_RepositoryModelUnloadResponse {
        try await recorded(context) { _, _ in
            try InferParameters.check(request.parameters.keys, .unload)
            try models.unload(request.modelName)
            return Inference_RepositoryModelUnloadResponse()
        }
    }

    // MARK: All calls

    /// Does a call's work in a new task, which is cancelled when the client disconnects or its deadline passes, and logs its
    /// cost.
    private func recorded<Message: Sendable>(
        _ context: GRPCCore.ServerContext,
        _ work: @escaping @Sendable (RequestRecord, RequestTask) async throws -> Message
    ) async throws -> Message {
        let call = GRPCCall.current ?? GRPCCall(Metadata())
        let (record, task) = (call.record, RequestTask())
        record.update { $0.isLogged = true }
        log.began()
        let name = "\(context.descriptor)"
        func ended(_ status: Int) {
            log.ended(
                "gRPC \(name)", route: name, method: "gRPC", status: status,
                duration: ContinuousClock.now - call.begin, record.current)
        }
        do {
            // The client disconnects; the end of the grace period cancels the surrounding task instead.
            let message = try await withRPCCancellationHandler {
                try await task.run { try await call.withinDeadline(task) { try await work(record, task) } }
            } onCancelRPC: {
                task.cancel()
            }
            ended(200)
            return message
        } catch {
            let error = ServerError(error)
            record.update { $0.error = error }
            ended(error.status.code)
            throw RPCError(error)
        }
    }
}
