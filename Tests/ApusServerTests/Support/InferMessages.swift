import Apus
import Foundation
import GRPCCore
import NIOCore
import SwiftProtobuf
import Testing

@testable import ApusServer

/// Messages of gRPC calls.
enum InferMessages {
    static func image(
        _ change: (inout Inference_ModelInferRequest) -> Void = { _ in }
    ) throws -> Inference_ModelInferRequest {
        let image = Data(Array(buffer: try TestImages.small()))
        var request = Inference_ModelInferRequest.with {
            $0.modelName = "demo"
            $0.inputs = [
                .with {
                    $0.name = "image"
                    $0.datatype = "BYTES"
                    $0.shape = [1]
                    $0.contents.bytesContents = [image]
                }
            ]
        }
        change(&request)
        return request
    }

    static func tensor(
        _ name: String, _ datatype: String, _ contents: (inout Inference_InferTensorContents) -> Void
    ) -> Inference_ModelInferRequest {
        .with {
            $0.modelName = "demo.raw"
            $0.id = "7"
            $0.inputs = [
                .with {
                    $0.name = name
                    $0.datatype = datatype
                    $0.shape = [1, 2]
                    contents(&$0.contents)
                }
            ]
            $0.outputs = [.with { $0.name = name }]
        }
    }

    static func error(_ work: () async throws -> Void) async -> RPCError? {
        await #expect(throws: RPCError.self) { try await work() }
    }
}
