import Apus
import Foundation
import GRPCCore
import NIOCore
import SwiftProtobuf
import Testing

@testable import ApusServer

/// The inference service's descriptions and repository with a fake detector, in process.
struct OpenInferenceGRPCTests {
    private typealias Method = Inference_GRPCInferenceService.Method

    // MARK: Health and descriptions

    @Test func healthFollowsTheModelsAndTheDevice() async throws {
        let server = try await InProcessServer()
        try await server.grpc { grpc in
            func expect(ready: Bool) async throws {
                let live = try await grpc.call(
                    Method.ServerLive.descriptor, Inference_ServerLiveRequest(), of: Inference_ServerLiveResponse.self)
                #expect(live.message.live)
                let all = try await grpc.call(
                    Method.ServerReady.descriptor, Inference_ServerReadyRequest(),
                    of: Inference_ServerReadyResponse.self)
                #expect(all.message.ready == ready)
                for (name, version, isThere) in [
                    ("demo", "", true), ("demo.raw", "1", true), ("demo", "2", false), ("nobody", "", false),
                ] {
                    let one = try await grpc.call(
                        Method.ModelReady.descriptor,
                        Inference_ModelReadyRequest.with {
                            $0.name = name
                            $0.version = version
                        }, of: Inference_ModelReadyResponse.self)
                    #expect(one.message.ready == (ready && isThere), "\(name) \(version)")
                }
            }
            try await expect(ready: true)
            server.detector.breakDevice(ApusError(.deviceFault, doing: "detect", cause: "NaN"))
            try await expect(ready: false)
        }
    }

    @Test func theServerAndItsModelsAreDescribed() async throws {
        try await InProcessServer().grpc { grpc in
            let server = try await grpc.call(
                Method.ServerMetadata.descriptor, Inference_ServerMetadataRequest(),
                of: Inference_ServerMetadataResponse.self
            ).message
            #expect(server.name == "apus" && server.version == "1.2.3")
            #expect(server.extensions == ["binary_tensor_data", "model_repository"])
            func model(_ name: String, _ version: String = "") async throws -> Inference_ModelMetadataResponse {
                try await grpc.call(
                    Method.ModelMetadata.descriptor,
                    Inference_ModelMetadataRequest.with {
                        $0.name = name
                        $0.version = version
                    }
                ).message
            }
            let demo = try await model("demo", "1")
            #expect(demo.name == "demo" && demo.versions == ["1"] && demo.platform == "apus")
            #expect(demo.inputs.map(\.name) == ["image"] && demo.inputs[0].shape == [-1])
            #expect(demo.outputs.map(\.name) == ["boxes", "scores", "labels", "categories", "pictures"])
            let raw = try await model("demo.raw")
            #expect(raw.platform == "onnxruntime_onnx")
            #expect(raw.inputs.map(\.datatype) == ["BOOL", "UINT8", "INT32", "INT64", "FP16", "FP32", "FP64"])
            #expect(raw.outputs.allSatisfy { $0.shape == [-1, 2] })
            for (name, version) in [("nobody", ""), ("demo", "2")] {
                let error = await InferMessages.error { _ = try await model(name, version) }
                #expect(error?.code == .notFound)
            }
        }
    }

    // MARK: Repository

    @Test func modelsAreListedUnloadedAndLoaded() async throws {
        let server = try await InProcessServer(models: ["demo", "other"])
        try await server.grpc { grpc in
            func index(ready: Bool = false) async throws -> [String] {
                try await grpc.call(
                    Method.RepositoryIndex.descriptor, Inference_RepositoryIndexRequest.with { $0.ready = ready },
                    of: Inference_RepositoryIndexResponse.self
                ).message.models.map { "\($0.name)|\($0.version)|\($0.state)|\($0.reason)" }
            }
            func load(_ name: String, _ parameters: [String: Inference_ModelRepositoryParameter] = [:]) async throws {
                _ = try await grpc.call(
                    Method.RepositoryModelLoad.descriptor,
                    Inference_RepositoryModelLoadRequest.with {
                        $0.modelName = name
                        $0.parameters = parameters
                    }, of: Inference_RepositoryModelLoadResponse.self)
            }
            func unload(_ name: String, _ parameters: [String: Inference_ModelRepositoryParameter] = [:]) async throws {
                _ = try await grpc.call(
                    Method.RepositoryModelUnload.descriptor,
                    Inference_RepositoryModelUnloadRequest.with {
                        $0.modelName = name
                        $0.parameters = parameters
                    }, of: Inference_RepositoryModelUnloadResponse.self)
            }
            #expect(
                try await index() == ["demo|1|READY|", "demo.raw|1|READY|", "other|1|READY|", "other.raw|1|READY|"])
            try await unload("other", ["unload_dependents": .with { $0.boolParam = true }])
            #expect(try await index(ready: true) == ["demo|1|READY|", "demo.raw|1|READY|"])
            #expect(try await index().last == "other.raw|1|UNAVAILABLE|unloaded")
            let unavailable = await InferMessages.error {
                _ = try await grpc.infer(try InferMessages.image { $0.modelName = "other" })
            }
            #expect(unavailable?.code == .unavailable)
            try await load("other")
            #expect(try await index().last == "other.raw|2|READY|")
            #expect(await InferMessages.error { try await load("nobody") }?.code == .notFound)
            #expect(await InferMessages.error { try await unload("nobody") }?.code == .notFound)
            let parameters = ["config": Inference_ModelRepositoryParameter.with { $0.stringParam = "{}" }]
            #expect(await InferMessages.error { try await load("demo", parameters) }?.code == .invalidArgument)
            #expect(await InferMessages.error { try await unload("demo", parameters) }?.code == .invalidArgument)
        }
    }
}
