internal import Apus
internal import Foundation
internal import GRPCCore
internal import HTTPTypes
internal import SwiftProtobuf

/// The Open Inference Protocol over gRPC.
struct GRPCService: Inference_GRPCInferenceService.SimpleServiceProtocol {
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
        let isReady = (try? service.requireReady(request.name, request.version)) != nil
        return .with { $0.ready = isReady }
    }

    // MARK: Descriptions

    func serverMetadata(
        request: Inference_ServerMetadataRequest, context: GRPCCore.ServerContext
    ) async throws -> Inference_ServerMetadataResponse {
        try await recorded(context) { _ in
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
        try await recorded(context) { _ in
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
        try await recorded(context) { record in
            let numbers = request.inputs.reduce(0) { $0 + $1.contents.numberBytes }
            let bytes =
                numbers + request.rawInputContents.reduce(0) { $0 + $1.count }
                + request.inputs.reduce(0) { $0 + $1.contents.bytesContents.reduce(0) { $0 + $1.count } }
            guard bytes <= service.predictor.limits.bytes else {
                throw ServerError.tooLarge(
                    "The inputs have \(bytes) bytes; \(service.predictor.limits.bytes) are allowed",
                    remedy: "Send a smaller picture, or give the server a larger --max-body.")
            }
            // The message was counted as it came, but numbers take more than they did then.
            let lease = bodies.lease()
            defer { withExtendedLifetime(lease) {} }
            try lease.take(numbers)
            let response = try await service.predictor.admitted { place in
                try await service.infer(try InferRequest(request), in: place, record: record)
            }
            return .with { message in
                message.modelName = response.model
                message.modelVersion = response.version
                message.id = response.id ?? ""
                for output in response.outputs {
                    message.outputs.append(
                        .with {
                            $0.name = output.name
                            $0.datatype = output.datatype.rawValue
                            $0.shape = output.shape.map { Int64($0) }
                        })
                    message.rawOutputContents.append(Data(output.binary))
                }
            }
        }
    }

    // MARK: Repository

    func repositoryIndex(
        request: Inference_RepositoryIndexRequest, context: GRPCCore.ServerContext
    ) async throws -> Inference_RepositoryIndexResponse {
        try await recorded(context) { _ in
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
        try await recorded(context) { _ in
            try InferParameters.check(request.parameters.keys, .load)
            try await service.load(request.modelName)
            return Inference_RepositoryModelLoadResponse()
        }
    }

    func repositoryModelUnload(
        request: Inference_RepositoryModelUnloadRequest, context: GRPCCore.ServerContext
    ) async throws -> Inference_RepositoryModelUnloadResponse {
        try await recorded(context) { _ in
            try InferParameters.check(request.parameters.keys, .unload)
            try models.unload(request.modelName)
            return Inference_RepositoryModelUnloadResponse()
        }
    }

    // MARK: All calls

    /// Ends the work when the client goes away, and says what it cost.
    private func recorded<Message: Sendable>(
        _ context: GRPCCore.ServerContext, _ work: @escaping @Sendable (RequestRecord) async throws -> Message
    ) async throws -> Message {
        let start = ContinuousClock.now
        let record = GRPCCall.current?.record ?? RequestRecord()
        record.update { $0.isLogged = true }
        log.began()
        let name = "\(context.descriptor)"
        func ended(_ status: Int) {
            log.ended(
                "gRPC \(name)", route: name, method: "gRPC", status: status, duration: ContinuousClock.now - start,
                record.current)
        }
        do {
            let task = Task { try await withinDeadline { try await work(record) } }
            // The client's going, or the end of the grace time.
            let message = try await withTaskCancellationHandler {
                try await withRPCCancellationHandler {
                    try await task.value
                } onCancelRPC: {
                    task.cancel()
                }
            } onCancel: {
                task.cancel()
            }
            ended(200)
            return message
        } catch {
            let error = ServerError(error)
            record.update { $0.error = error }
            ended(error.status.code)
            throw RPCError(code: error.grpcCode, message: GRPCMessage.short(error.text))
        }
    }
}

/// Does a call's work within the time that its client waits.
private func withinDeadline<Value: Sendable>(
    _ work: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    guard let call = GRPCCall.current, let time = call.time else { return try await work() }
    return try await Deadline.run(
        within: max(.zero, time - (ContinuousClock.now - call.begin)), orThrow: .deadlineExceeded(time), work)
}

extension ServerError {
    static func deadlineExceeded(_ time: Duration) -> ServerError {
        ServerError(
            "timeout", .gatewayTimeout, title: "The client's deadline passed",
            detail: "The request was not answered within the \(time.text) of its grpc-timeout")
    }
}

extension Inference_InferTensorContents {
    /// What its numbers take as a tensor.
    fileprivate var numberBytes: Int {
        boolContents.count + 4 * (intContents.count + uintContents.count + fp32Contents.count)
            + 8 * (int64Contents.count + uint64Contents.count + fp64Contents.count)
    }
}

extension ServerError {
    var grpcCode: RPCError.Code {
        switch status {
        case .badRequest: .invalidArgument
        case .unauthorized: .unauthenticated
        case .notFound: .notFound
        case .contentTooLarge: .resourceExhausted
        case .serviceUnavailable: kind == "queue-full" ? .resourceExhausted : .unavailable
        case .gatewayTimeout, .requestTimeout: .deadlineExceeded
        case .notImplemented: .unimplemented
        case .unsupportedMediaType: .invalidArgument
        case let other where other.code == 499: .cancelled
        default: .internalError
        }
    }
}

extension InferRequest {
    init(_ message: Inference_ModelInferRequest) throws(ServerError) {
        self.init(
            model: message.modelName, version: message.modelVersion, id: message.id.isEmpty ? nil : message.id,
            inputs: [], outputs: message.outputs.isEmpty ? nil : message.outputs.map(\.name))
        guard message.inputs.count <= 64 else { throw .badRequest("The request has more than 64 inputs") }
        try InferParameters.check(message.parameters.keys, .request)
        for input in message.inputs { try InferParameters.check(input.parameters.keys, .input(input.name)) }
        for output in message.outputs { try InferParameters.check(output.parameters.keys, .output(output.name)) }
        let raw = message.rawInputContents
        guard raw.isEmpty || raw.count == message.inputs.count else {
            throw .badRequest("There are \(message.inputs.count) inputs, but \(raw.count) raw_input_contents")
        }
        for (index, input) in message.inputs.enumerated() {
            guard let datatype = Datatype(rawValue: input.datatype) else {
                throw .badRequest(
                    "The input \(Quoted(input.name)) has no datatype that is known",
                    remedy: "There are BOOL, UINT8, INT32, INT64, FP16, FP32, FP64 and BYTES.")
            }
            let shape = input.shape.map { Int($0) }
            inputs.append(
                raw.isEmpty
                    ? try InferTensor(
                        name: input.name, datatype: datatype, shape: shape,
                        content: try InferTensor.Content(input.contents, datatype))
                    : try InferTensor(
                        name: input.name, datatype: datatype, shape: shape, binary: [UInt8](raw[index])[...]))
        }
        threshold = try message.parameters["threshold"].map { parameter throws(ServerError) in
            let number: Double? =
                switch parameter.parameterChoice {
                case .doubleParam(let value): value
                case .int64Param(let value): Double(value)
                case .stringParam(let value): Double(value)
                default: nil
                }
            guard let number, (0...1).contains(number) else {
                throw .badRequest("The parameter threshold is no number from 0 to 1")
            }
            return Float(number)
        }
        limit = try message.parameters["limit"].map { parameter throws(ServerError) in
            guard case .int64Param(let value) = parameter.parameterChoice, (1...1000).contains(value) else {
                throw .badRequest("The parameter limit is no whole number from 1 to 1000")
            }
            return Int(value)
        }
    }
}

extension InferTensor.Content {
    fileprivate init(_ contents: Inference_InferTensorContents, _ datatype: Datatype) throws(ServerError) {
        func numbers<Value>(_ values: [Value]) -> Self { .numbers(values.withUnsafeBytes { Array($0) }) }
        switch datatype {
        case .bool: self = numbers(contents.boolContents)
        case .uint8:
            guard contents.uintContents.allSatisfy({ $0 <= 255 }) else {
                throw .badRequest("A value is not of type UINT8")
            }
            self = numbers(contents.uintContents.map { UInt8($0) })
        case .int32: self = numbers(contents.intContents)
        case .int64: self = numbers(contents.int64Contents)
        case .float32: self = numbers(contents.fp32Contents)
        case .float64: self = numbers(contents.fp64Contents)
        case .bytes: self = .items(contents.bytesContents.map { [UInt8]($0) })
        case .float16:
            throw .badRequest("FP16 has no contents of its own", remedy: "Send it in raw_input_contents.")
        }
    }
}
