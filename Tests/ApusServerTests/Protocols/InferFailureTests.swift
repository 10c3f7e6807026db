import Apus
import ApusServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

/// What inference by the Open Inference Protocol refuses, and how it says so.
struct InferFailureTests {
    private struct Failure: Sendable, CustomTestStringConvertible {
        var json: String
        var binary: [UInt8] = []
        var path = "/v2/models/demo.raw/infer"
        var headLength: Int?
        var status = 400
        var error: String
        var testDescription: String { "\(error): \(json.prefix(200))" }
    }

    private static func input(
        _ name: String = "float32", _ datatype: String = "FP32", shape: String = "[1, 2]", data: String = "[1, 2]"
    ) -> String {
        "{\"inputs\": [{\"name\": \"\(name)\", \"datatype\": \"\(datatype)\", \"shape\": \(shape), \"data\": \(data)}]}"
    }

    private static func failures() -> [Failure] {
        let images = #"{"inputs": [{"name": "image", "shape": [1], "datatype": "BYTES", "data": ["YWJj"]}]}"#
        return [
            Failure(json: "[]", error: "The request is not a JSON object"),
            Failure(json: "{}", error: "no list of \"inputs\""),
            Failure(json: #"{"inputs": []}"#, error: "no list of \"inputs\""),
            Failure(json: #"{"inputs": [{}]}"#, error: "An input has no name"),
            Failure(json: input("float32", "FP8"), error: "float32 has no known datatype. Known datatypes: BOOL"),
            Failure(json: input(shape: "2"), error: "has no shape"),
            Failure(json: input(shape: "[-1, 2]"), error: "not a list of whole numbers"),
            Failure(json: input(shape: "[0, 2]", data: "[]"), error: "is empty: its shape contains a 0"),
            Failure(json: input(shape: "[4294967296, 4294967296]"), error: "is not valid"),
            Failure(json: input(shape: "[3]"), error: "has 8 bytes, not 12"),
            Failure(json: input(data: "1"), error: "has no data"),
            Failure(json: input(data: "[\"1\", 2]"), error: "is not of type FP32"),
            Failure(json: input(data: "[[[[[[[[[[1]]]]]]]]], 2]"), error: "nested too deeply"),
            Failure(json: input("uint8", "UINT8", data: "[256, 1]"), error: "256 in uint8 is not of type UINT8"),
            Failure(json: input("int32", "INT32", data: "[0.5, 1]"), error: "is not of type INT32"),
            Failure(json: input("bool", "BOOL", data: "[1, 0]"), error: "is not of type BOOL"),
            Failure(json: input("nobody"), error: "There is no input nobody. Available inputs: bool"),
            Failure(json: input("float32", "BYTES", shape: "[1]", data: "[\"YWJj\"]"), error: "is of type BYTES"),
            Failure(
                json: input().replacing("]}]}", with: "]}], \"outputs\": [{\"name\": \"nobody\"}]}"),
                error: "There is no output nobody"),
            Failure(json: input().replacing("]}]}", with: "]}], \"outputs\": [{}]}"), error: "An output has no name"),
            Failure(json: input().replacing("]}]}", with: "]}], \"outputs\": 1}"), error: "not a list of objects"),
            Failure(
                json: input().replacing("]}]}", with: "]}], \"parameters\": {\"threshold\": 2}}"),
                error: "threshold must be a number from 0 to 1"),
            Failure(
                json: input().replacing("]}]}", with: "]}], \"parameters\": {\"limit\": 0}}"),
                error: "limit must be an integer from 1 to 1000"),
            Failure(
                json: input().replacing("]}]}", with: "]}], \"parameters\": {\"binary_data_output\": 1}}"),
                error: "must be true or false"),
            Failure(json: input(), binary: [1], error: "The body has 1 bytes more than its inputs"),
            Failure(json: input(), headLength: 10_000, error: "but the body has"),
            Failure(
                json:
                    #"{"inputs": [{"name": "float32", "datatype": "FP32", "shape": [2], "parameters": {"binary_data_size": 9}}]}"#,
                binary: [1], error: "binary_data_size of float32 is not within the body"),
            Failure(
                json:
                    #"{"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": 4}}]}"#,
                binary: [9, 0, 0, 0], path: "/v2/models/demo/infer", error: "is truncated"),
            Failure(json: input(), path: "/v2/models/demo/infer", error: "accepts one input, \"image\", of type BYTES"),
            Failure(json: images, path: "/v2/models/demo/infer", error: "Could not read image 0"),
            Failure(
                json: images.replacing("YWJj", with: "%"), path: "/v2/models/demo/infer", error: "is not base64"),
        ]
    }

    @Test(arguments: failures()) private func whatIsWrongIsNamed(failure: Failure) async throws {
        try await InProcessServer.run { client in
            try await InferRequests.infer(
                client, failure.json, failure.binary, path: failure.path, headLength: failure.headLength
            ) { response in
                #expect(response.status.code == failure.status, "\(response.text)")
                #expect(response.headers[.contentType] == "application/json")
                #expect(Set(response.object.keys) == ["error"])
                #expect((response.object["error"] as? String)?.contains(failure.error) == true, "\(response.text)")
            }
        }
    }

    @Test func anInvalidHeaderLengthIsRefusedBeforeTheBodyIsRead() async throws {
        try await InProcessServer.run { client in
            for length in ["-1", "x", ""] {
                try await client.execute(
                    uri: "/v2/models/demo/infer", method: .post, headers: [.inferenceHeaderLength: length]
                ) { #expect($0.status == .badRequest && $0.text.contains("not a number of bytes"), "\($0.text)") }
            }
        }
    }

    @Test func aFullQueueAndATimeoutHaveTheFormOfTheProtocol() async throws {
        let server = try await InProcessServer {
            $0.inference = .init(queue: 1, concurrency: 1)
            $0.timeout = .milliseconds(20)
        }
        try await server.test { client in
            try await server.whileBusy {
                for path in ["/v2/models/demo.raw/infer", "/v2/models/demo/infer"] {
                    let json =
                        path.contains("raw")
                        ? Self.input()
                        : #"{"inputs": [{"name": "image", "shape": [1], "datatype": "BYTES", "data": ["YWJj"]}]}"#
                    try await InferRequests.infer(client, json, path: path) {
                        #expect($0.status == .gatewayTimeout && $0.text.contains("did not complete"), "\($0.text)")
                    }
                    let places = [try server.server.queue.admit(), try server.server.queue.admit()]
                    try await InferRequests.infer(client, json, path: path) {
                        #expect($0.status == .serviceUnavailable && $0.headers[.retryAfter] != nil, "\($0.text)")
                    }
                    withExtendedLifetime(places) {}
                }
            }
        }
    }
}
