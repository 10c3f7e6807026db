import GRPCCore
import GRPCInProcessTransport
import GRPCProtobuf
import SwiftProtobuf

@testable import ApusServer

/// A client of a server's gRPC methods, without a socket. Interceptors and message limits apply as they do behind one.
struct GRPCCaller: Sendable {
    typealias Method = Inference_GRPCInferenceService.Method

    fileprivate let client: GRPCClient<InProcessTransport.Client>

    /// A call's response, and the metadata that came with it.
    struct Response<Message: Sendable>: Sendable {
        var message: Message
        var metadata: Metadata
    }

    func call<Input: SwiftProtobuf.Message, Output: SwiftProtobuf.Message>(
        _ method: MethodDescriptor, _ input: Input, metadata: Metadata = [:], of type: Output.Type = Output.self
    ) async throws -> Response<Output> {
        try await client.unary(
            request: ClientRequest(message: input, metadata: metadata), descriptor: method,
            serializer: ProtobufSerializer<Input>(), deserializer: ProtobufDeserializer<Output>(), options: .defaults
        ) { Response(message: try $0.message, metadata: $0.metadata) }
    }

    func infer(
        _ request: Inference_ModelInferRequest, metadata: Metadata = [:]
    ) async throws -> Inference_ModelInferResponse {
        try await call(Method.ModelInfer.descriptor, request, metadata: metadata).message
    }
}

extension InProcessServer {
    func grpc<Value: Sendable>(_ body: (GRPCCaller) async throws -> Value) async throws -> Value {
        defer { server.queue.stop() }
        let transport = InProcessTransport()
        return try await withGRPCServer(
            transport: transport.server, services: [server.grpcService], interceptors: server.grpcInterceptors
        ) { _ in
            try await withGRPCClient(transport: transport.client) { client in
                try await body(GRPCCaller(client: client))
            }
        }
    }
}
