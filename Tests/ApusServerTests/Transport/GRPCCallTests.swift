import Apus
import Foundation
import GRPCCore
import InMemoryLogging
import Logging
import NIOCore
import SwiftProtobuf
import Testing

@testable import ApusServer

/// What every gRPC call has in common: keys, deadlines, the queue, metadata and log.
struct GRPCCallTests {
    private typealias Method = Inference_GRPCInferenceService.Method

    @Test func onlyHealthNeedsNoKey() async throws {
        let key = "0123456789abcdef"
        let server = try await InProcessServer { $0.keys = APIKeys([key]) }
        try await server.grpc { grpc in
            _ = try await grpc.call(
                Method.ServerLive.descriptor, Inference_ServerLiveRequest(), of: Inference_ServerLiveResponse.self)
            _ = try await grpc.call(
                Method.ServerReady.descriptor, Inference_ServerReadyRequest(), of: Inference_ServerReadyResponse.self)
            for metadata in [["authorization": "Bearer \(key)"], ["x-api-key": "\(key)"]] as [Metadata] {
                _ = try await grpc.infer(try InferMessages.image(), metadata: metadata)
            }
            for metadata in [[:], ["authorization": "Bearer x"], ["authorization": "\(key)"], ["x-api-key": ""]]
                as [Metadata]
            {
                let error = await InferMessages.error {
                    _ = try await grpc.infer(try InferMessages.image(), metadata: metadata)
                }
                #expect(error?.code == .unauthenticated)
                #expect(error?.message.hasPrefix("Missing or invalid API key") == true)
            }
            let error = await InferMessages.error {
                _ = try await grpc.call(
                    Method.ModelReady.descriptor, Inference_ModelReadyRequest(), of: Inference_ModelReadyResponse.self)
            }
            #expect(error?.code == .unauthenticated)
        }
        #expect(server.detector.calls.count == 2)
        #expect(server.log.count { "\($0.message)".hasSuffix(" 401") } == 5)
    }

    @Test func aCallEndsWithItsDeadlineOrTheServersTimeout() async throws {
        for (deadline, timeout, message) in [
            ("20000000", Duration.seconds(30), "within the 0.02 s of its grpc-timeout"),
            ("60000000000", .milliseconds(20), "did not complete within 0.02 s"),
        ] {
            let server = try await InProcessServer { $0.timeout = timeout }
            try await server.grpc { grpc in
                try await server.whileBusy {
                    let error = await InferMessages.error {
                        _ = try await grpc.infer(
                            try InferMessages.image(), metadata: ["apus-timeout-ns": "\(deadline)"])
                    }
                    #expect(error?.code == .deadlineExceeded && error?.message.contains(message) == true)
                    #expect(server.server.queue.load.queued == 0 && server.server.queue.load.admitted == 0)
                }
            }
            #expect(server.detector.calls.isEmpty)
        }
    }

    @Test func aCallThatItsClientCancelsLeavesTheQueue() async throws {
        let server = try await InProcessServer()
        let (queue, service, request) = (
            server.server.queue, server.server.grpcService.service, try InferMessages.image()
        )
        defer { queue.stop() }
        try await server.whileBusy {
            try await withServerContextRPCCancellationHandle { handle in
                let context = GRPCCore.ServerContext(
                    descriptor: Method.ModelInfer.descriptor, remotePeer: "test", localPeer: "test",
                    cancellation: handle)
                let call = Task { try await service.modelInfer(request: request, context: context) }
                while queue.load.queued == 0 { try await Task.sleep(for: .milliseconds(1)) }
                handle.cancel()
                let error = await InferMessages.error { _ = try await call.value }
                #expect(error?.code == .cancelled)
                #expect(queue.load.queued == 0 && queue.load.admitted == 0)
            }
        }
        #expect(server.detector.calls.isEmpty)
    }

    @Test func aFullQueueIsToldFromAServerThatStops() async throws {
        let server = try await InProcessServer { $0.inference = .init(queue: 0, concurrency: 1) }
        try await server.grpc { grpc in
            let place = try server.server.queue.admit()
            let full = await InferMessages.error { _ = try await grpc.infer(try InferMessages.image()) }
            #expect(full?.code == .resourceExhausted && full?.message.contains("queue of 0 requests is full") == true)
            server.server.queue.stop()
            let stopping = await InferMessages.error { _ = try await grpc.infer(try InferMessages.image()) }
            #expect(stopping?.code == .unavailable)
            withExtendedLifetime(place) {}
        }
    }

    // MARK: Metadata and log

    @Test func callsHaveIDsTracesAndALine() async throws {
        let server = try await InProcessServer()
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        try await server.grpc { grpc in
            let response = try await grpc.call(
                Method.ModelInfer.descriptor, try InferMessages.image(),
                metadata: ["x-request-id": "camera-7", "traceparent": "\(trace)"], of: Inference_ModelInferResponse.self
            )
            #expect(Array(response.metadata[stringValues: "x-request-id"]) == ["camera-7"])
            let own = Array(response.metadata[stringValues: "traceparent"]).first ?? ""
            #expect(own.hasPrefix("00-0af7651916cd43dd8448eb211c80319c-") && own != trace)
            let error = await InferMessages.error {
                _ = try await grpc.infer(try InferMessages.image { $0.modelName = "x" })
            }
            #expect(error.map { Array($0.metadata[stringValues: "x-request-id"]).count } == 1)
        }
        let lines = server.log.filter { "\($0.message)".hasPrefix("gRPC") }
        #expect(
            lines.map { "\($0.message)" } == [
                "gRPC inference.GRPCInferenceService/ModelInfer 200",
                "gRPC inference.GRPCInferenceService/ModelInfer 404",
            ])
        #expect(lines[0].metadata["request_id"] == "camera-7" && lines[0].metadata["objects"] == "3")
        #expect(lines[0].metadata["trace_id"] == "0af7651916cd43dd8448eb211c80319c")
        #expect(lines[0].metadata["inference_ms"] == "2.0")
        let metrics = server.server.metrics.text(server.server.queue, server.server.models)
        #expect(
            metrics.contains(
                #"apus_requests_total{route="inference.GRPCInferenceService/ModelInfer",method="gRPC",model="demo",status="200"} 1"#
            ))
    }
}
