import Apus
import ApusServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

/// The Open Inference Protocol over HTTP with a fake detector: health, descriptions and the repository.
struct OpenInferenceRouteTests {
    @Test func healthFollowsTheModelsAndTheDevice() async throws {
        let server = try await InProcessServer(loads: false)
        try await server.test { client in
            func expect(ready: Bool, _ comment: Comment) async throws {
                try await client.execute(uri: "/v2/health/live", method: .get) {
                    #expect($0.status == .ok && $0.object["live"] as? Bool == true, comment)
                }
                try await client.execute(uri: "/v2/health/ready", method: .get) {
                    #expect($0.status == (ready ? .ok : .serviceUnavailable), comment)
                    #expect($0.object["ready"] as? Bool == ready && $0.object["live"] as? Bool == true, comment)
                }
                for path in ["/v2/models/demo/ready", "/v2/models/demo.raw/ready"] {
                    try await client.execute(uri: path, method: .get) {
                        #expect($0.status == (ready ? .ok : .serviceUnavailable), comment)
                    }
                }
            }
            try await expect(ready: false, "while it loads")
            try await server.server.models.loadAll()
            try await expect(ready: true, "once it is loaded")
            server.detector.breakDevice(ApusError(.deviceFault, doing: "detect", cause: "NaN"))
            try await expect(ready: false, "on a faulty device")
            await server.server.models.checkFaultyDevices()
            try await expect(ready: false, "on a device that is still faulty")
            server.detector.breakDevice(nil)
            try await expect(ready: true, "on a device that works again")
        }
    }

    @Test func theServerAndItsModelsAreDescribed() async throws {
        try await InProcessServer.run { client in
            try await client.execute(uri: "/v2", method: .get) { response in
                #expect(response.object["name"] as? String == "apus")
                #expect(response.object["version"] as? String == "1.2.3")
                #expect(response.object["extensions"] as? [String] == ["binary_tensor_data", "model_repository"])
            }
            for path in ["/v2/models/demo", "/v2/models/demo/versions/1"] {
                try await client.execute(uri: path, method: .get) { response in
                    #expect(response.object["name"] as? String == "demo")
                    #expect(response.object["versions"] as? [String] == ["1"])
                    #expect(response.object["platform"] as? String == "apus")
                    let inputs = try #require(response.object["inputs"] as? [[String: Any]])
                    #expect(inputs.map { $0["name"] as? String } == ["image"])
                    #expect(inputs[0]["datatype"] as? String == "BYTES" && inputs[0]["shape"] as? [Int] == [-1])
                    let outputs = try #require(response.object["outputs"] as? [[String: Any]])
                    #expect(
                        outputs.map { "\($0["name"] ?? "") \($0["datatype"] ?? "") \($0["shape"] ?? "")" } == [
                            "boxes FP32 [-1, 4]", "scores FP32 [-1]", "labels INT64 [-1]", "categories BYTES [-1]",
                            "pictures INT64 [-1]",
                        ])
                }
            }
            for path in ["/v2/models/demo.raw", "/v2/models/demo.raw/versions/1"] {
                try await client.execute(uri: path, method: .get) { response in
                    #expect(response.object["name"] as? String == "demo.raw")
                    #expect(response.object["platform"] as? String == "onnxruntime_onnx")
                    let inputs = try #require(response.object["inputs"] as? [[String: Any]])
                    #expect(
                        inputs.map { $0["datatype"] as? String } == [
                            "BOOL", "UINT8", "INT32", "INT64", "FP16", "FP32", "FP64",
                        ])
                    #expect(inputs.allSatisfy { $0["shape"] as? [Int] == [-1, 2] })
                }
            }
            try await client.execute(uri: "/v2/models/demo/versions/1/ready", method: .get) { response in
                #expect(response.object["name"] as? String == "demo" && response.object["ready"] as? Bool == true)
            }
        }
    }

    @Test func unknownModelsAndVersionsAreNotFound() async throws {
        try await InProcessServer.run { client in
            for (path, error) in [
                ("/v2/models/nobody", "There is no model named nobody. Available models: demo."),
                ("/v2/models/nobody.raw/ready", "There is no model named nobody"),
                ("/v2/models/demo/versions/2", "The model demo does not have version 2. Its version is 1."),
                ("/v2/models/demo.raw/versions/x/ready", "The model demo.raw does not have version x"),
            ] {
                try await client.execute(uri: path, method: .get) { response in
                    #expect(response.status == .notFound)
                    #expect(response.headers[.contentType] == "application/json")
                    #expect((response.object["error"] as? String)?.hasPrefix(error) == true, "\(response.text)")
                }
            }
            // Before its body is read, which is no JSON.
            try await client.execute(uri: "/v2/models/nobody/infer", method: .post, body: ByteBuffer(string: "{")) {
                #expect($0.status == .notFound)
            }
        }
    }

    // MARK: Repository

    private static func index(_ client: any TestClientProtocol, _ body: String = "") async throws -> [String] {
        try await client.execute(uri: "/v2/repository/index", method: .post, body: ByteBuffer(string: body)) {
            response in
            #expect(response.status == .ok, "\(response.text)")
            let entries = try #require(response.json as? [[String: String]])
            return entries.map {
                [$0["name"], $0["version"], $0["state"], $0["reason"]].map { $0 ?? "?" }.joined(separator: "|")
            }
        }
    }

    @Test func theRepositoryListsModelsAndTheirStates() async throws {
        let server = try await InProcessServer(models: ["demo", "other"], loads: false)
        try await server.test { client in
            #expect(try await Self.index(client).first == "demo||LOADING|")
            try await server.server.models.loadAll()
            try server.server.models.unload("other")
            let all = [
                "demo|1|READY|", "demo.raw|1|READY|", "other|1|UNAVAILABLE|unloaded",
                "other.raw|1|UNAVAILABLE|unloaded",
            ]
            #expect(try await Self.index(client) == all)
            #expect(try await Self.index(client, #"{"ready": false}"#) == all)
            #expect(try await Self.index(client, #"{"ready": true}"#) == Array(all.prefix(2)))
        }
    }

    @Test func modelsAreUnloadedAndLoadedAgain() async throws {
        let server = try await InProcessServer()
        try await server.test { client in
            func post(_ path: String, _ body: String = "") async throws -> Int {
                try await client.execute(
                    uri: "/v2/repository/models/\(path)", method: .post, body: ByteBuffer(string: body)
                ) { $0.status.code }
            }
            let unloaded = try await post("demo/unload", #"{"parameters": {"unload_dependents": true}}"#)
            #expect(unloaded == 200)
            #expect(throws: ServerError.self) { try server.server.models.model("demo") }
            #expect(try await post("demo/load") == 200)
            #expect(try server.server.models.model("demo").version == 2)
            #expect(try await post("demo/load", "{}") == 200)
            #expect(try server.server.models.model("demo").version == 3)
            #expect(try await post("nobody/load") == 404)
            #expect(try await post("nobody/unload") == 404)
            #expect(try await post("demo/load", #"{"parameters": {"config": "{}"}}"#) == 400)
            #expect(try await post("demo/unload", #"{"parameters": {"config": "{}"}}"#) == 400)
            for body in ["[]", "{", #"{"parameters": 1}"#] {
                #expect(try await post("demo/load", body) == 400, "\(body)")
            }
            #expect(
                try await client.execute(
                    uri: "/v2/repository/index", method: .post, body: ByteBuffer(string: #"{"ready": 1}"#)
                ) { $0.status.code } == 400)
            #expect(try server.server.models.model("demo").version == 3)
        }
    }

    @Test func aModelThatDoesNotLoadIsReported() async throws {
        let fails = FakeDetector()
        var configuration = ServerConfiguration(
            models: [.init(name: "demo", model: .demo)], detector: Detector.Configuration())
        configuration.version = "1.2.3"
        let server = Server(configuration, logger: TestServer.silent) { _, _ in
            throw ApusError(.model, doing: "load the model", cause: "secret \(fails.summary.family)")
        }
        await #expect(throws: ApusError.self) { try await server.models.loadAll() }
        try await server.application().test(.router) { client in
            #expect(try await Self.index(client).first == "demo||UNAVAILABLE|it could not be loaded")
            try await client.execute(uri: "/v2/models/demo/ready", method: .get) {
                #expect($0.status == .serviceUnavailable && !$0.text.contains("secret"))
            }
            try await client.execute(uri: "/v2/repository/models/demo/load", method: .post) {
                #expect($0.status == .internalServerError && !$0.text.contains("secret"))
            }
            try await client.execute(uri: "/status", method: .get) {
                #expect($0.text.contains("\"failed\"") && !$0.text.contains("secret"))
            }
        }
        server.queue.stop()
    }
}
