import Apus
import ApusServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

/// The page, its documentation, and the server's status.
struct PageRouteTests {
    @Test(arguments: [
        ("/", "text/html; charset=utf-8", "<!doctype html"), ("/page.js", "text/javascript; charset=utf-8", "fetch("),
        ("/page.css", "text/css; charset=utf-8", "{"), ("/docs", "text/html; charset=utf-8", "<!doctype html"),
        ("/openapi.json", "application/json", "\"openapi\""),
    ])
    func everyPageIsServedWithItsTypeAndPolicy(path: String, type: String, content: String) async throws {
        try await InProcessServer.run { client in
            try await client.execute(uri: path, method: .get) { response in
                #expect(response.status == .ok)
                #expect(response.headers[.contentType] == type)
                #expect(response.text.lowercased().contains(content))
                #expect(response.headers[.contentSecurityPolicy]?.hasPrefix("default-src 'none'") == true)
                #expect(response.headers[.cacheControl] == "no-cache")
                #expect(response.headers[.xContentTypeOptions] == "nosniff")
                let length = response.headers[.contentLength]
                #expect(length == "\(response.body.readableBytes)")
                try await client.execute(uri: path, method: .head) { head in
                    #expect(head.status == .ok && head.body.readableBytes == 0)
                    #expect(head.headers[.contentLength] == length)
                }
            }
        }
    }

    @Test func thePageCanBeLeftOut() async throws {
        let server = try await InProcessServer { $0.hasPage = false }
        try await server.test { client in
            for (path, status) in [("/", 404), ("/page.js", 404), ("/docs", 200), ("/page.css", 200), ("/status", 200)]
            {
                try await client.execute(uri: path, method: .get) { #expect($0.status.code == status, "\(path)") }
            }
        }
    }

    @Test func theStatusTellsWhatRunsEachModel() async throws {
        let server = try await InProcessServer(models: ["demo", "other"])
        try server.server.models.unload("other")
        try await server.test { client in
            try await client.execute(uri: "/status", method: .get) { response in
                let object = response.object
                #expect(object["name"] as? String == "apus" && object["version"] as? String == "1.2.3")
                #expect(object["ready"] as? Bool == true)
                let models = try #require(object["models"] as? [[String: Any]])
                #expect(models.map { $0["state"] as? String } == ["ready", "unloaded"])
                let demo = models[0]
                #expect(demo["name"] as? String == "demo" && demo["version"] as? Int == 1)
                #expect(demo["family"] as? String == "fake" && demo["device"] as? String == "CPU")
                #expect(demo["device_name"] as? String == "A device")
                #expect(demo["device_reason"] as? String == "the test asked for it")
                #expect(demo["precision"] as? String == "f32" && demo["verified"] as? String == "yes")
                #expect(demo["canvases"] as? [String] == ["64x48"])
                #expect(demo["assumptions"] as? [String] == ["labels: made up"])
                #expect(demo["fault"] as? Bool == false)
                #expect(Set(models[1].keys) == ["name", "state", "version"])
            }
            server.detector.breakDevice(ApusError(.deviceFault, doing: "detect", cause: "NaN"))
            try await client.execute(uri: "/status", method: .get) { response in
                #expect(response.object["ready"] as? Bool == false)
                #expect((response.object["models"] as? [[String: Any]])?.first?["fault"] as? Bool == true)
            }
        }
    }

    @Test func modelsThatLoadOrFailHaveAState() async throws {
        let server = try await InProcessServer(loads: false)
        try await server.test { client in
            try await client.execute(uri: "/status", method: .get) { response in
                #expect(response.object["ready"] as? Bool == false)
                #expect((response.object["models"] as? [[String: Any]])?.first?["state"] as? String == "loading")
            }
        }
    }

    /// The document is written by hand; no path may be missing from it, and none may be made up.
    @Test func theOpenAPIDocumentDescribesEveryRoute() async throws {
        let expected: [String: String] = [
            "/predict": "post", "/status": "get", "/metrics": "get", "/v2": "get", "/v2/health/live": "get",
            "/v2/health/ready": "get", "/v2/models/{model}": "get", "/v2/models/{model}/ready": "get",
            "/v2/models/{model}/infer": "post", "/v2/models/{model}/versions/{version}": "get",
            "/v2/models/{model}/versions/{version}/ready": "get",
            "/v2/models/{model}/versions/{version}/infer": "post", "/v2/repository/index": "post",
            "/v2/repository/models/{model}/load": "post", "/v2/repository/models/{model}/unload": "post",
            "/v1/vision/detection": "post", "/v1/vision/custom/{model}": "post", "/v1/vision/custom/list": "post",
            "/v1/status": "get",
        ]
        try await InProcessServer.run { client in
            let document = try await client.execute(uri: "/openapi.json", method: .get) { $0.object }
            let paths = try #require(document["paths"] as? [String: [String: Any]])
            #expect(Set(paths.keys) == Set(expected.keys))
            for (path, method) in expected { #expect(paths[path]?[method] != nil, "\(path)") }
        }
        for (path, method) in expected {
            // A server of its own, as loading a model changes its version.
            try await InProcessServer.run { client in
                let uri = path.replacing("{model}", with: "demo").replacing("{version}", with: "1")
                // Whatever it responds to an empty request, the path and its method are there.
                try await client.execute(uri: uri, method: method == "get" ? .get : .post) {
                    #expect(![404, 405].contains($0.status.code), "\(path): \($0.text)")
                }
                try await client.execute(uri: uri, method: .delete) {
                    #expect($0.status == .methodNotAllowed, "\(path)")
                    #expect($0.headers[.allow] == (method == "get" ? "GET, HEAD" : "POST"), "\(path)")
                }
            }
        }
    }

    @Test func theDocumentationExplainsEveryKindOfError() async throws {
        try await InProcessServer.run { client in
            let docs = try await client.execute(uri: "/docs", method: .get) { $0.text }
            for kind in ErrorKind.all where kind != .compression {
                #expect(docs.contains("<dt id=\"\(kind.name)\">"), "\(kind.name)")
                let row = docs.split(separator: "<dt id=\"\(kind.name)\">").last?.split(separator: "</dd>").first ?? ""
                #expect(row.contains("\(kind.status.code)"), "\(kind.name)")
            }
        }
    }
}
