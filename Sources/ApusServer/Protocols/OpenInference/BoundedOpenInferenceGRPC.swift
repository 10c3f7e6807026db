internal import GRPCCore
internal import GRPCProtobuf
internal import SwiftProtobuf

/// The service, measuring messages with lists before decoding them: two bytes of a list can become dozens.
struct BoundedOpenInferenceGRPC: RegistrableRPCService {
    let service: OpenInferenceGRPC
    /// Maximum size of a decoded message.
    let limit: Int

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        service.registerMethods(with: &router)
        // Replaces the handlers just registered.
        typealias Method = Inference_GRPCInferenceService.Method
        router.registerHandler(
            forMethod: Method.ModelInfer.descriptor,
            deserializer: BoundedDeserializer(
                limit: limit, remedy: "Send large tensors as raw_input_contents", InferMessageSize.decoded),
            serializer: ProtobufSerializer<Inference_ModelInferResponse>(),
            handler: { try await service.modelInfer(request: $0, context: $1) })
        let small = "Send no parameters; they are not used"
        router.registerHandler(
            forMethod: Method.RepositoryModelLoad.descriptor,
            deserializer: BoundedDeserializer(limit: 65536, remedy: small, \.count),
            serializer: ProtobufSerializer<Inference_RepositoryModelLoadResponse>(),
            handler: { try await service.repositoryModelLoad(request: $0, context: $1) })
        router.registerHandler(
            forMethod: Method.RepositoryModelUnload.descriptor,
            deserializer: BoundedDeserializer(limit: 65536, remedy: small, \.count),
            serializer: ProtobufSerializer<Inference_RepositoryModelUnloadResponse>(),
            handler: { try await service.repositoryModelUnload(request: $0, context: $1) })
    }
}

private struct BoundedDeserializer<Message: SwiftProtobuf.Message>: MessageDeserializer {
    private let limit: Int
    private let remedy: String
    private let size: @Sendable (UnsafeRawBufferPointer) -> Int

    init(limit: Int, remedy: String, _ size: @escaping @Sendable (UnsafeRawBufferPointer) -> Int) {
        self.limit = limit
        self.remedy = remedy
        self.size = size
    }

    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> Message {
        let taken = bytes.withUnsafeBytes { size($0) }
        guard taken <= limit else {
            throw RPCError(
                code: .resourceExhausted,
                message: "The message would need \(taken) bytes; \(limit) are allowed. \(remedy).")
        }
        return try ProtobufDeserializer<Message>().deserialize(bytes)
    }
}
