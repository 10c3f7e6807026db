import Apus
import ApusServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

/// Inference by the Open Inference Protocol over HTTP with a fake detector: JSON and binary tensors.
struct InferRouteTests {
    private static func outputs(_ response: TestResponse) throws -> [String: [String: Any]] {
        #expect(response.status == .ok, "\(response.text)")
        let list = try #require(response.object["outputs"] as? [[String: Any]])
        return Dictionary(uniqueKeysWithValues: list.map { ($0["name"] as? String ?? "", $0) })
    }

    /// The bytes of a BYTES element: its length, then itself.
    private static func element(_ bytes: [UInt8]) -> [UInt8] {
        withUnsafeBytes(of: UInt32(bytes.count).littleEndian) { Array($0) } + bytes
    }

    private static func expectObjects(_ response: TestResponse, count: Int = 3) throws {
        let outputs = try Self.outputs(response)
        #expect(response.headers[.contentType] == "application/json")
        #expect(outputs["boxes"]?["shape"] as? [Int] == [count, 4])
        #expect((outputs["boxes"]?["data"] as? [Double])?.prefix(4) == [10.25, 20.5, 40.75, 44])
        #expect((outputs["labels"]?["data"] as? [Int])?.prefix(3) == [20, 18, 91])
        #expect((outputs["categories"]?["data"] as? [String])?.prefix(3) == ["sheep", "dog", ""])
        #expect((outputs["scores"]?["data"] as? [NSNumber])?.first?.floatValue == 0.98)
        #expect(outputs["pictures"]?["data"] as? [Int] == [Int](repeating: 0, count: count))
        #expect(outputs["scores"]?["datatype"] as? String == "FP32")
    }

    @Test func anImageIsAcceptedAsBase64AsABinaryTensorAndAsTheWholeBody() async throws {
        let server = try await InProcessServer()
        try await server.test { client in
            let image = Array(buffer: try TestImages.small())
            let base64 = Data(image).base64EncodedString()
            let tensor = Self.element(image)
            try await InferRequests.infer(
                client,
                #"{"id": "7", "inputs": [{"name": "image", "shape": [1], "datatype": "BYTES", "data": ["\#(base64)"]}]}"#
            ) { response in
                try Self.expectObjects(response)
                #expect(response.object["model_name"] as? String == "demo")
                #expect(response.object["model_version"] as? String == "1" && response.object["id"] as? String == "7")
            }
            try await InferRequests.infer(
                client,
                """
                {"inputs": [{"name": "image", "shape": [1], "datatype": "BYTES",
                             "parameters": {"binary_data_size": \(tensor.count)}}]}
                """, tensor, path: "/v2/models/demo/versions/1/infer"
            ) {
                try Self.expectObjects($0)
                #expect($0.object["id"] == nil)
            }
            try await InferRequests.infer(client, "", image, headLength: 0) { try Self.expectObjects($0) }
        }
        #expect(server.detector.calls.map(\.threshold) == [0.9, 0.9, 0.9])
        #expect(server.detector.calls.allSatisfy { $0.sizes == [[64, 48]] })
    }

    @Test func severalImagesAreToldApartAndParametersApply() async throws {
        let server = try await InProcessServer { $0.inference = .init(maxBatch: 2) }
        try await server.test { client in
            let images = [try TestImages.small(), try TestImages.small(width: 32, height: 16)].map { Array(buffer: $0) }
            let tensor = images.flatMap(Self.element)
            try await InferRequests.infer(
                client,
                """
                {"inputs": [{"name": "image", "shape": [2], "datatype": "BYTES",
                             "parameters": {"binary_data_size": \(tensor.count)}}],
                 "parameters": {"threshold": 0.4, "limit": 2},
                 "outputs": [{"name": "pictures"}, {"name": "labels"}]}
                """, tensor
            ) { response in
                let outputs = try Self.outputs(response)
                #expect(Set(outputs.keys) == ["pictures", "labels"])
                #expect(outputs["pictures"]?["data"] as? [Int] == [0, 0, 1, 1])
                #expect(outputs["labels"]?["data"] as? [Int] == [20, 18, 20, 18])
            }
        }
        #expect(server.detector.calls == [.init(sizes: [[64, 48], [32, 16]], threshold: 0.4)])
    }

    /// Reads the binary tensors behind a response's JSON, by name.
    private static func binary(_ response: TestResponse) throws -> [String: [UInt8]] {
        #expect(response.headers[.contentType] == "application/octet-stream", "\(response.text)")
        let length = try #require(response.headers[.inferenceHeaderLength].flatMap { Int($0) })
        let bytes = Array(buffer: response.body)
        let head = try #require(try JSONSerialization.jsonObject(with: Data(bytes.prefix(length))) as? [String: Any])
        var rest = bytes.dropFirst(length)
        var tensors: [String: [UInt8]] = [:]
        for output in head["outputs"] as? [[String: Any]] ?? [] {
            let parameters = output["parameters"] as? [String: Int]
            guard let size = parameters?["binary_data_size"] else { continue }
            tensors[output["name"] as? String ?? ""] = Array(rest.prefix(size))
            rest = rest.dropFirst(size)
        }
        #expect(rest.isEmpty)
        return tensors
    }

    @Test func outputsAreBinaryWhereTheRequestWantsIt() async throws {
        try await InProcessServer.run { client in
            let base64 = TestImages.base64(try TestImages.small())
            let input = #""inputs": [{"name": "image", "shape": [1], "datatype": "BYTES", "data": ["\#(base64)"]}]"#
            try await InferRequests.infer(client, "{\(input), \"parameters\": {\"binary_data_output\": true}}") {
                response in
                let tensors = try Self.binary(response)
                #expect(Set(tensors.keys) == ["boxes", "scores", "labels", "categories", "pictures"])
                #expect(tensors["boxes"]?.count == 3 * 4 * 4 && tensors["scores"]?.count == 3 * 4)
                #expect(tensors["labels"]?.first == 20 && tensors["labels"]?.count == 3 * 8)
                #expect(
                    tensors["categories"] == Self.element(Array("sheep".utf8)) + Self.element(Array("dog".utf8))
                        + Self.element([]))
            }
            try await InferRequests.infer(
                client,
                """
                {\(input), "parameters": {"binary_data_output": true}, "outputs": [
                    {"name": "scores"}, {"name": "labels", "parameters": {"binary_data": false}}]}
                """
            ) { try #expect(Self.binary($0).keys.sorted() == ["scores"]) }
            try await InferRequests.infer(
                client, "{\(input), \"outputs\": [{\"name\": \"boxes\", \"parameters\": {\"binary_data\": true}}]}"
            ) { try #expect(Self.binary($0).keys.sorted() == ["boxes"]) }
            // Triton's clients send an empty list for all.
            try await InferRequests.infer(client, "{\(input), \"outputs\": []}") {
                try #expect(Self.outputs($0).count == 5)
            }
        }
    }

    // MARK: Tensors of the network

    /// For each element type: its datatype, two elements in JSON, and their bytes.
    private static let elements: [(name: String, datatype: String, json: String, bytes: [UInt8])] = [
        ("bool", "BOOL", "[true,false]", [1, 0]), ("uint8", "UINT8", "[0,255]", [0, 255]),
        ("int32", "INT32", "[-1,2147483647]", [255, 255, 255, 255, 255, 255, 255, 127]),
        (
            "int64", "INT64", "[-4611686018427387904,9007199254740993]",
            [0, 0, 0, 0, 0, 0, 0, 192, 1, 0, 0, 0, 0, 0, 32, 0]
        ),
        ("float16", "FP16", "[0.5,-2]", [0, 56, 0, 192]), ("float32", "FP32", "[0.5,-2]", [0, 0, 0, 63, 0, 0, 0, 192]),
        ("float64", "FP64", "[0.5,-2]", [0, 0, 0, 0, 0, 0, 224, 63, 0, 0, 0, 0, 0, 0, 0, 192]),
    ]

    @Test func tensorsOfEveryTypeTravelAsJSONAndAsBytes() async throws {
        try await InProcessServer.run { client in
            for each in Self.elements {
                let output = "\"outputs\": [{\"name\": \"\(each.name)\"}]"
                let head = "\"name\": \"\(each.name)\", \"datatype\": \"\(each.datatype)\", \"shape\": [1, 2]"
                for data in [each.json, "[\(each.json)]"] {
                    try await InferRequests.infer(
                        client, "{\"inputs\": [{\(head), \"data\": \(data)}], \(output)}",
                        path: "/v2/models/demo.raw/infer"
                    ) { response in
                        let tensor = try #require(try Self.outputs(response)[each.name])
                        #expect(tensor["datatype"] as? String == each.datatype && tensor["shape"] as? [Int] == [1, 2])
                        let expected = try JSONSerialization.jsonObject(with: Data(each.json.utf8)) as? [NSNumber]
                        let values = try #require(tensor["data"] as? [NSNumber])
                        #expect(values.map(\.doubleValue) == expected?.map(\.doubleValue), "\(response.text)")
                        // A double doesn't hold every integer.
                        #expect(values.map(\.int64Value) == expected?.map(\.int64Value), "\(response.text)")
                    }
                }
                try await InferRequests.infer(
                    client,
                    """
                    {"inputs": [{\(head), "parameters": {"binary_data_size": \(each.bytes.count)}}],
                     "parameters": {"binary_data_output": true}, \(output)}
                    """, each.bytes, path: "/v2/models/demo.raw/versions/1/infer"
                ) { try #expect(Self.binary($0) == [each.name: each.bytes]) }
            }
        }
    }

    @Test func aNumberThatJSONCannotHoldIsAnErrorUnlessItIsBinary() async throws {
        try await InProcessServer.run { client in
            let nan: [UInt8] = [0, 0, 192, 127, 0, 0, 0, 0]
            let input = """
                "inputs": [{"name": "float32", "datatype": "FP32", "shape": [1, 2],
                            "parameters": {"binary_data_size": 8}}], "outputs": [{"name": "float32"}]
                """
            let path = "/v2/models/demo.raw/infer"
            try await InferRequests.infer(client, "{\(input)}", nan, path: path) {
                #expect($0.status == .badRequest && $0.text.contains("Request binary outputs"), "\($0.text)")
            }
            try await InferRequests.infer(
                client, "{\(input), \"parameters\": {\"binary_data_output\": true}}", nan, path: path
            ) { try #expect(Self.binary($0) == ["float32": nan]) }
        }
    }
}
