import Apus
import Foundation
import GRPCCore
import InMemoryLogging
import Logging
import NIOCore
import SwiftProtobuf
import Testing

@testable import ApusServer

/// Inference over gRPC with a fake detector, in process.
struct InferGRPCTests {
    private typealias Method = Inference_GRPCInferenceService.Method

    @Test func objectsAreFoundInImages() async throws {
        let server = try await InProcessServer()
        try await server.grpc { grpc in
            let found = try await grpc.infer(try InferMessages.image { $0.id = "7" })
            #expect(found.modelName == "demo" && found.modelVersion == "1" && found.id == "7")
            #expect(found.outputs.map(\.name) == ["boxes", "scores", "labels", "categories", "pictures"])
            #expect(found.outputs.map(\.shape) == [[3, 4], [3], [3], [3], [3]])
            #expect(found.outputs.map(\.datatype) == ["FP32", "FP32", "INT64", "BYTES", "INT64"])
            #expect(found.rawOutputContents.map(\.count) == [48, 12, 24, 4 + 5 + 4 + 3 + 4, 24])
            #expect(Array(found.rawOutputContents[0].prefix(4)) == [0, 0, 36, 65])  // 10.25
            #expect(Array(found.rawOutputContents[3].prefix(9)) == [5, 0, 0, 0] + Array("sheep".utf8))

            // The same image as raw contents; what is requested, with parameters.
            let raw = try InferMessages.image { request in
                let image = request.inputs[0].contents.bytesContents[0]
                request.inputs[0].clearContents()
                request.rawInputContents = [withUnsafeBytes(of: UInt32(image.count).littleEndian) { Data($0) } + image]
                request.outputs = [.with { $0.name = "labels" }]
                request.parameters = [
                    "threshold": .with { $0.doubleParam = 0.4 }, "limit": .with { $0.int64Param = 2 },
                ]
            }
            let labels = try await grpc.infer(raw)
            #expect(labels.outputs.map(\.name) == ["labels"] && labels.outputs[0].shape == [2])
            #expect(Array(labels.rawOutputContents[0]) == [20, 0, 0, 0, 0, 0, 0, 0, 18, 0, 0, 0, 0, 0, 0, 0])
            for parameter in [
                Inference_InferParameter.with { $0.stringParam = "0.4" }, .with { $0.int64Param = 1 },
            ] { _ = try await grpc.infer(try InferMessages.image { $0.parameters = ["threshold": parameter] }) }
        }
        #expect(server.detector.calls.map(\.threshold) == [0.9, 0.4, 0.4, 1])
        #expect(server.detector.calls.allSatisfy { $0.sizes == [[64, 48]] })
    }

    @Test func tensorsOfEveryTypeTravelInContentsAndRaw() async throws {
        let cases: [(request: Inference_ModelInferRequest, bytes: [UInt8])] = [
            (InferMessages.tensor("bool", "BOOL") { $0.boolContents = [true, false] }, [1, 0]),
            (InferMessages.tensor("uint8", "UINT8") { $0.uintContents = [0, 255] }, [0, 255]),
            (InferMessages.tensor("int32", "INT32") { $0.intContents = [-1, 2] }, [255, 255, 255, 255, 2, 0, 0, 0]),
            (
                InferMessages.tensor("int64", "INT64") { $0.int64Contents = [.min, 1] },
                [0, 0, 0, 0, 0, 0, 0, 128, 1, 0, 0, 0, 0, 0, 0, 0]
            ),
            (InferMessages.tensor("float32", "FP32") { $0.fp32Contents = [0.5, -2] }, [0, 0, 0, 63, 0, 0, 0, 192]),
            (
                InferMessages.tensor("float64", "FP64") { $0.fp64Contents = [0.5, -2] },
                [0, 0, 0, 0, 0, 0, 224, 63, 0, 0, 0, 0, 0, 0, 0, 192]
            ),
        ]
        try await InProcessServer().grpc { grpc in
            for each in cases {
                let found = try await grpc.infer(each.request)
                #expect(found.id == "7" && found.outputs.map(\.shape) == [[1, 2]])
                #expect(found.rawOutputContents.map { Array($0) } == [each.bytes], "\(each.request.inputs[0].name)")
                var raw = each.request
                raw.inputs[0].clearContents()
                raw.rawInputContents = [Data(each.bytes)]
                #expect(try await grpc.infer(raw).rawOutputContents.map { Array($0) } == [each.bytes])
            }
            var half = InferMessages.tensor("float16", "FP16") { _ in }
            half.inputs[0].clearContents()
            half.rawInputContents = [Data([0, 56, 0, 192])]
            #expect(try await grpc.infer(half).rawOutputContents == [Data([0, 56, 0, 192])])
        }
    }

    private typealias Failure = (request: Inference_ModelInferRequest, code: RPCError.Code, message: String)

    private static func failures() throws -> [Failure] {
        let shared = Inference_InferParameter.with { $0.stringParam = "r" }
        return [
            (
                try InferMessages.image { $0.modelName = "nobody" }, .notFound,
                "There is no model named nobody. Available models: demo."
            ),
            (try InferMessages.image { $0.modelVersion = "9" }, .notFound, "does not have version 9"),
            (try InferMessages.image { $0.inputs = [] }, .invalidArgument, "accepts one input"),
            (try InferMessages.image { $0.inputs[0].datatype = "TEXT" }, .invalidArgument, "has no known datatype"),
            (try InferMessages.image { $0.inputs[0].shape = [2] }, .invalidArgument, "has 1 elements, not 2"),
            (
                try InferMessages.image { $0.inputs[0].contents.bytesContents = [Data([1, 2, 3])] }, .invalidArgument,
                "Could not read image 0"
            ),
            (
                try InferMessages.image {
                    $0.inputs = [Inference_ModelInferRequest.InferInputTensor](repeating: $0.inputs[0], count: 65)
                },
                .invalidArgument, "more than 64 inputs"
            ),
            (
                try InferMessages.image { $0.rawInputContents = [Data(), Data()] }, .invalidArgument,
                "1 inputs, but 2 raw"
            ),
            (
                try InferMessages.image { $0.parameters = ["treshold": shared] }, .invalidArgument,
                "treshold of the request"
            ),
            (
                try InferMessages.image { $0.inputs[0].parameters = ["shared_memory_region": shared] },
                .invalidArgument,
                "Shared memory is not supported"
            ),
            (
                try InferMessages.image {
                    $0.outputs = [
                        .with {
                            $0.name = "boxes"; $0.parameters = ["classification": shared]
                        }
                    ]
                },
                .invalidArgument, "Classification"
            ),
            (
                try InferMessages.image { $0.parameters = ["threshold": shared] }, .invalidArgument,
                "must be a number from 0 to 1"
            ),
            (
                try InferMessages.image { $0.parameters = ["limit": .with { $0.int64Param = 0 }] }, .invalidArgument,
                "must be an integer from 1 to 1000"
            ),
            (
                try InferMessages.image { $0.outputs = [.with { $0.name = "nobody" }] }, .invalidArgument,
                "There is no output nobody"
            ),
            (
                InferMessages.tensor("uint8", "UINT8") { $0.uintContents = [256, 0] }, .invalidArgument,
                "not of type UINT8"
            ),
            (
                InferMessages.tensor("float16", "FP16") { $0.fp32Contents = [1, 2] }, .invalidArgument,
                "raw_input_contents"
            ),
        ]
    }

    @Test func whatIsWrongHasACodeAndAMessage() async throws {
        let server = try await InProcessServer()
        try await server.grpc { grpc in
            for each in try Self.failures() {
                let error = await InferMessages.error { _ = try await grpc.infer(each.request) }
                #expect(error?.code == each.code, "\(each.message): \(String(describing: error))")
                #expect(error?.message.contains(each.message) == true, "\(each.message): \(String(describing: error))")
            }
        }
        #expect(server.detector.calls.isEmpty)
    }

    @Test func inputsAndMessagesHaveLimits() async throws {
        let image = Data(Array(buffer: try TestImages.bytes()))
        let server = try await InProcessServer { $0.maxBody = image.count }
        func request(_ image: Data) throws -> Inference_ModelInferRequest {
            try InferMessages.image { $0.inputs[0].contents.bytesContents = [image] }
        }
        try await server.grpc { grpc in
            _ = try await grpc.infer(try request(image))
            for request in [
                try request(image + Data([0])),
                InferMessages.tensor("float32", "FP32") {
                    $0.fp32Contents = [Float](repeating: 1, count: image.count / 4 + 1)
                },
            ] {
                let error = await InferMessages.error { _ = try await grpc.infer(request) }
                #expect(error?.code == .resourceExhausted, "\(String(describing: error))")
                #expect(error?.message.contains("\(image.count) are allowed") == true)
            }
            // Requests of the repository hold nothing but a name.
            let large = Inference_RepositoryModelLoadRequest.with {
                $0.repositoryName = String(repeating: "a", count: 70_000)
            }
            let error = await InferMessages.error {
                _ = try await grpc.call(
                    Method.RepositoryModelLoad.descriptor, large, of: Inference_RepositoryModelLoadResponse.self)
            }
            #expect(error?.code == .resourceExhausted && error?.message.contains("65536 are allowed") == true)
        }
        #expect(try server.server.models.model("demo").version == 1)
    }

    @Test func failuresOfTheDetectorDontLeakWhatTheServerHas() async throws {
        for (code, expected) in [
            (ApusError.Code.inference, RPCError.Code.internalError), (.deviceFault, .unavailable),
            (.model, .internalError), (.option, .invalidArgument),
        ] {
            let server = try await InProcessServer()
            server.detector.fail(ApusError(code, doing: "detect objects", cause: "secret"))
            try await server.grpc { grpc in
                let error = await InferMessages.error { _ = try await grpc.infer(try InferMessages.image()) }
                #expect(error?.code == expected)
                #expect(error?.message.contains("secret") == (code == .option))
            }
            #expect(server.log.contains { "\($0.metadata["error"] ?? "")".contains("secret") })
        }
    }
}
