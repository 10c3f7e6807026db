import Apus
import ApusServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

/// The DeepStack API with a fake detector.
struct DeepStackRouteTests {
    private static let key = "0123456789abcdef"

    private static func form(
        _ fields: [(String, String)] = [], image: ByteBuffer? = nil, field: String = "image"
    ) throws -> (type: String, body: ByteBuffer) {
        let image = try image ?? TestImages.small()
        let texts = fields.map { ($0.0, String?.none, ByteBuffer(string: $0.1)) }
        return TestImages.form([(field, "a.png", image)] + texts)
    }

    private static func detect(
        _ client: any TestClientProtocol, _ form: (type: String, body: ByteBuffer),
        path: String = "/v1/vision/detection", headers: HTTPFields = [:], _ check: (TestResponse) throws -> Void
    ) async throws {
        var headers = headers
        headers[.contentType] = form.type
        let response = try await client.execute(uri: path, method: .post, headers: headers, body: form.body) { $0 }
        try check(response)
    }

    @Test func aDetectionHasTheFieldsOfCodeProjectAI() async throws {
        let server = try await InProcessServer(FakeDetector(device: "GPU.0"), models: ["demo", "other"])
        try await server.test { client in
            for (path, command) in [("/v1/vision/detection", "detect"), ("/v1/vision/custom/other", "custom")] {
                try await Self.detect(client, Self.form(), path: path) { response in
                    let object = response.object
                    #expect(response.status == .ok, "\(response.text)")
                    #expect(response.headers[.contentType] == "application/json")
                    let predictions = try #require(object["predictions"] as? [[String: Any]])
                    // A class without a name is left out; boxes end at the image's edges.
                    #expect(predictions.map { $0["label"] as? String } == ["sheep", "dog", "person"])
                    let sides = ["x_min", "y_min", "x_max", "y_max"].map { side in predictions.map { $0[side] as? Int }
                    }
                    #expect(sides == [[10, 0, 5], [21, 2, 6], [41, 30, 7], [44, 48, 8]])
                    #expect((predictions[0]["confidence"] as? NSNumber)?.floatValue == 0.98)
                    #expect(object["success"] as? Bool == true && object["count"] as? Int == 3)
                    #expect(object["message"] as? String == "Found sheep, dog, person")
                    #expect(object["command"] as? String == command && object["moduleId"] as? String == "apus")
                    #expect(object["executionProvider"] as? String == "GPU.0" && object["canUseGPU"] as? Bool == true)
                    #expect(object["inferenceMs"] as? Int == 2 && object["duration"] as? Int == 0)
                    #expect(object["processMs"] as? Int == object["analysisRoundTripMs"] as? Int)
                }
            }
        }
        #expect(server.detector.calls.map(\.threshold) == [0.4, 0.4])
    }

    @Test func theConfidenceIsTheClientsOrTheServersOwn() async throws {
        let server = try await InProcessServer {
            $0.deepStackConfidence = 0.97
            $0.deepStackLimit = 1
        }
        try await server.test { client in
            try await Self.detect(client, Self.form()) {
                #expect($0.object["count"] as? Int == 1)
                #expect($0.object["message"] as? String == "Found sheep")
            }
            try await Self.detect(client, Self.form([("min_confidence", "0.3"), ("typedet", "x")])) {
                #expect($0.object["count"] as? Int == 1, "the limit holds: \($0.text)")
            }
            try await Self.detect(client, Self.form([("min_confidence", "0.99")])) {
                #expect($0.object["count"] as? Int == 0)
                #expect($0.object["message"] as? String == "No objects found")
            }
        }
        #expect(server.detector.calls.map(\.threshold) == [0.97, 0.3, 0.99])
    }

    @Test func rawAndBase64ImagesAreAcceptedToo() async throws {
        try await InProcessServer.run { client in
            let image = try TestImages.small()
            let json = ByteBuffer(string: #"{"image": "\#(TestImages.base64(image))"}"#)
            for form in [("image/png", image), ("application/json", json)] {
                try await Self.detect(client, form) { #expect($0.object["count"] as? Int == 3, "\($0.text)") }
            }
        }
    }

    @Test func theModelsAndTheStatusAreListed() async throws {
        let server = try await InProcessServer(models: ["demo", "other"])
        try await server.test { client in
            try await client.execute(uri: "/v1/vision/custom/list", method: .post) { response in
                #expect(response.object["models"] as? [String] == ["demo", "other"])
                #expect(response.object["success"] as? Bool == true)
            }
            try await client.execute(uri: "/v1/status", method: .get) { response in
                #expect(
                    response.object["name"] as? String == "Apus" && response.object["version"] as? String == "1.2.3")
                #expect(response.object["isReady"] as? Bool == true)
                #expect(response.object["models"] as? [String] == ["demo", "other"])
            }
            server.detector.breakDevice(ApusError(.deviceFault, doing: "detect", cause: "NaN"))
            try await client.execute(uri: "/v1/status", method: .get) {
                #expect($0.object["isReady"] as? Bool == false)
            }
        }
    }

    @Test func errorsHaveTheFormOfDeepStack() async throws {
        let server = try await InProcessServer()
        try await server.test { client in
            let image = try TestImages.small()
            let (type, two) = TestImages.form([("image", "a.png", image), ("image", "b.png", image)])
            let cases: [(path: String, form: (type: String, body: ByteBuffer), status: Int, error: String)] = [
                (
                    "detection", try Self.form(field: "file"), 400,
                    "The form has no field image. Send the image in it: curl -F image=@"
                ),
                ("detection", (type, two), 400, "one image; this one has 2"),
                ("detection", try Self.form(image: ByteBuffer(string: "x")), 400, "Could not read a.png"),
                (
                    "detection", try Self.form([("min_confidence", "2")]), 400,
                    "min_confidence must be a number from 0 to 1"
                ),
                (
                    "detection", try Self.form([("min_confidence", String(repeating: "1", count: 5000))]), 400,
                    "more than 4096 bytes"
                ),
                (
                    "detection", ("application/json", ByteBuffer(string: #"{"url": "http://a.example/"}"#)), 400,
                    "this one has 0"
                ),
                ("detection", ("text/html", image), 415, "not supported"),
                ("custom/nobody", try Self.form(), 404, "There is no model named nobody"),
            ]
            for each in cases {
                try await Self.detect(client, each.form, path: "/v1/vision/\(each.path)") { response in
                    #expect(response.status.code == each.status, "\(response.text)")
                    #expect(response.headers[.contentType] == "application/json")
                    #expect(response.object["success"] as? Bool == false)
                    #expect((response.object["error"] as? String)?.contains(each.error) == true, "\(response.text)")
                }
            }
        }
        #expect(server.detector.calls.isEmpty)
    }

    /// DeepStack has no 504.
    @Test func aTimeoutIsAServerError() async throws {
        let server = try await InProcessServer { $0.timeout = .milliseconds(20) }
        try await server.test { client in
            try await server.whileBusy {
                try await Self.detect(client, Self.form()) { response in
                    #expect(response.status == .internalServerError)
                    #expect((response.object["error"] as? String)?.contains("did not complete") == true)
                }
            }
        }
    }

    @Test func aKeyMayComeInTheForm() async throws {
        let server = try await InProcessServer { $0.keys = APIKeys([Self.key]) }
        try await server.test { client in
            let bearer: HTTPFields = [.authorization: "Bearer \(Self.key)"]
            for (fields, headers, status) in [
                ([("api_key", Self.key)], [:], 200), ([], bearer, 200), ([], [.apiKey: Self.key], 200),
                ([("api_key", "wrong")], [:], 401), ([], [:], 401), ([("api_key", "wrong")], bearer, 200),
            ] as [([(String, String)], HTTPFields, Int)] {
                for path in ["detection", "custom/demo", "custom/list"] {
                    try await Self.detect(
                        client, Self.form(fields), path: "/v1/vision/\(path)", headers: headers
                    ) { #expect($0.status.code == status, "\(path) \(fields) \(headers): \($0.text)") }
                }
            }
            // No key can be in such a body, so it isn't read.
            for path in ["detection", "custom/demo", "custom/list"] {
                try await Self.detect(
                    client, ("application/json", ByteBuffer(string: "{")), path: "/v1/vision/\(path)"
                ) { #expect($0.status == .unauthorized, "\(path)") }
            }
            for (headers, status) in [([:], 401), (bearer, 200)] as [(HTTPFields, Int)] {
                try await client.execute(uri: "/v1/status", method: .get, headers: headers) {
                    #expect($0.status.code == status)
                }
            }
        }
    }
}
