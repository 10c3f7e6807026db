import Apus
import ApusServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import TestSupport
import Testing

/// What the Open Inference Protocol refuses, in its own form.
@Suite(.enabled(if: TestRuntime.isWanted)) struct OpenInferenceLimitsTests {
    private static let image =
        #"{"name": "image", "shape": [1], "datatype": "BYTES", "data": ["YWJj"]}"#

    /// A raw request of one gray image.
    private static func raw(
        shape: [Int] = [1, 3, 32, 32], sizes: [Int] = [1, 2], extra: String = ""
    ) -> String {
        func list(_ shape: [Int], _ value: String) -> String {
            "[" + [String](repeating: value, count: shape.reduce(1, *)).joined(separator: ",") + "]"
        }
        return """
            {"inputs": [
                {"name": "inputs", "shape": \(shape), "datatype": "FP32", "data": \(list(shape, "0.5"))},
                {"name": "valid_sizes", "shape": \(sizes), "datatype": "INT64", "data": \(list(sizes, "32"))}
            ]\(extra)}
            """
    }

    private struct Case: Sendable, CustomStringConvertible {
        var path: String
        var body: String
        /// Part of the error; nil where the request is right.
        var error: String?
        var description: String { "\(path) \(body.prefix(200)) \(error ?? "")" }
    }

    private static func ask(_ cases: [Case]) async throws {
        try await TestServer.run { client in
            for each in cases {
                try await client.execute(
                    uri: each.path, method: .post, headers: [.contentType: "application/json"],
                    body: ByteBuffer(string: each.body)
                ) { response in
                    #expect(
                        response.status.code == (each.error == nil ? 200 : 400),
                        "\(each): \(response.text.prefix(500))")
                    guard let expected = each.error else { return }
                    let text = response.object["error"] as? String ?? ""
                    #expect(text.contains(expected), "\(each): \(text)")
                    #expect(response.body.readableBytes < 1000, "\(each)")
                }
            }
        }
    }

    @Test func anOutputIsRequestedOnce() async throws {
        func request(_ names: [String]) -> String {
            let outputs = names.map { "{\"name\": \"\($0)\"}" }.joined(separator: ",")
            return Self.raw(extra: ", \"outputs\": [\(outputs)]")
        }
        try await Self.ask([
            Case(path: "/v2/models/demo.raw/infer", body: request(["pred_logits", "pred_boxes"])),
            Case(
                path: "/v2/models/demo.raw/infer", body: request(["pred_logits", "pred_logits"]),
                error: "pred_logits is requested twice"),
            Case(
                path: "/v2/models/demo.raw/infer",
                body: request([String](repeating: "pred_logits", count: 900)), error: "is requested twice"),
            Case(
                path: "/v2/models/demo/infer",
                body: "{\"inputs\": [\(Self.image)], \"outputs\": [{\"name\": \"boxes\"}, {\"name\": \"boxes\"}]}",
                error: "boxes is requested twice"),
            Case(
                path: "/v2/models/demo.raw/infer", body: request([String(repeating: "x", count: 100_000)]),
                error: "There is no output xxx"),
        ])
    }

    @Test func whatIsNotSupportedIsNotIgnored() async throws {
        func infer(_ input: String = "", _ output: String = "", _ request: String = "") -> String {
            """
            {"inputs": [{"name": "image", "shape": [1], "datatype": "BYTES", "data": ["YWJj"]\(input)}],
             "outputs": [{"name": "boxes"\(output)}]\(request)}
            """
        }
        let path = "/v2/models/demo/infer"
        let memory = #", "parameters": {"shared_memory_region": "r", "shared_memory_byte_size": 16}"#
        try await Self.ask([
            Case(path: path, body: infer("", memory), error: "Shared memory is not supported"),
            Case(path: path, body: infer(memory), error: "Shared memory is not supported"),
            Case(
                path: path, body: infer("", #", "parameters": {"classification": 3}"#),
                error: "Classification (class_count) is not supported"),
            Case(
                path: path, body: infer("", "", #", "parameters": {"treshold": 0.5}"#),
                error: "The parameter treshold of the request is not supported"),
            Case(
                path: "/v2/repository/models/demo/load", body: #"{"parameters": {"config": "{}"}}"#,
                error: "The parameter config of the request is not supported"),
        ])
    }

    @Test func rawInputsAreLikeThoseOfImages() async throws {
        let path = "/v2/models/demo.raw/infer"
        try await Self.ask([
            Case(path: path, body: Self.raw()),
            Case(path: path, body: Self.raw(shape: [1, 3, 1, 4000]), error: "4000 x 1 pixels; the limit is"),
            Case(path: path, body: Self.raw(shape: [2, 3, 32, 32]), error: "batch is 2 in the input"),
            Case(path: path, body: Self.raw(sizes: [3, 2]), error: "batch is 1 in the input"),
            Case(
                path: path, body: Self.raw(shape: [Int](repeating: 1, count: 1000)),
                error: "has no shape"),
            Case(
                path: path,
                body: "{\"inputs\": [{\"name\": \"\(String(repeating: "n", count: 50_000))\","
                    + " \"shape\": [1], \"datatype\": \"FP32\", \"data\": [1]}]}", error: "There is no input nnn"),
        ])
    }

    @Test func integersAreExact() async throws {
        func sizes(_ value: String) -> String {
            Self.raw().replacingOccurrences(
                of: "\"INT64\", \"data\": [32,32]", with: "\"INT64\", \"data\": [32,\(value)]")
        }
        let path = "/v2/models/demo.raw/infer"
        try await Self.ask([
            Case(path: path, body: sizes("32")), Case(path: path, body: sizes("32.0")),
            Case(path: path, body: sizes("-9223372036854775809"), error: "is not of type INT64"),
            Case(path: path, body: sizes("18446744073709551616"), error: "is not of type INT64"),
            Case(path: path, body: sizes("32.5"), error: "is not of type INT64"),
        ])
    }
}
