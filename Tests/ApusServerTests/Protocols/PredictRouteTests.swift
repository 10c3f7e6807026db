import Apus
import ApusServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Imaging
import InMemoryLogging
import Logging
import NIOCore
import TestSupport
import Testing

/// `POST /predict` with a fake detector.
struct PredictRouteTests {
    private static let png: HTTPFields = [.contentType: "image/png"]

    private static func expectPrediction(_ response: TestResponse, _ way: String, image: String?) throws {
        #expect(response.status == .ok, "\(way): \(response.text)")
        #expect(response.headers[.contentType] == "application/json")
        let object = response.object
        let results = try #require(object["results"] as? [[String: Any]])
        #expect(results.map { $0["category"] as? String } == ["sheep", "dog", nil], "\(way)")
        #expect(results.map { $0["label"] as? Int } == [20, 18, 91])
        #expect(results.map { $0["score"] as? Double }.map { ($0 ?? 0) * 100 }.map { $0.rounded() } == [98, 95, 92])
        #expect(results.first?["boxes"] as? [Double] == [10.25, 20.5, 40.75, 44])
        #expect(object["width"] as? Int == 64 && object["height"] as? Int == 48)
        #expect(object["image"] as? String == image, "\(way)")
        #expect(object["model"] as? String == "demo" && object["device"] as? String == "CPU")
        #expect(object["precision"] as? String == "f32" && object["verified"] as? String == "yes")
        #expect(object["threshold"] as? Double == 0.9 || (object["threshold"] as? NSNumber)?.floatValue == 0.9)
        #expect(object["warning"] == nil && object["annotated"] == nil)
        let timings = try #require(object["timings_ms"] as? [String: Double])
        #expect(Set(timings.keys) == ["queue", "decode", "preprocess", "inference", "postprocess"])
        #expect(timings["preprocess"] == 1 && timings["inference"] == 2 && timings["postprocess"] == 3)
        #expect(response.text.contains("\"inference_time\":0.002,"))
    }

    @Test func anImageIsAcceptedWhicheverWayItComes() async throws {
        let image = try TestImages.small()
        let base64 = TestImages.base64(image)
        let (formType, file) = TestImages.form([("file", "a.png", image)])
        let (_, named) = TestImages.form([("image", nil, image)])
        let ways: [(type: String?, body: ByteBuffer, name: String?)] = [
            ("image/png", image, nil), ("image/x-unknown", image, nil), ("application/octet-stream", image, nil),
            ("application/x-www-form-urlencoded", image, nil), (nil, image, nil), (formType, file, "a.png"),
            (formType, named, nil), ("application/json", ByteBuffer(string: #"{"image": "\#(base64)"}"#), nil),
            (
                "Application/JSON; charset=utf-8",
                ByteBuffer(string: #"{"image": "data:image/png;base64,\#(base64)"}"#), nil
            ),
        ]
        let server = try await InProcessServer()
        try await server.test { client in
            for way in ways {
                var headers: HTTPFields = [:]
                headers[.contentType] = way.type
                try await client.execute(uri: "/predict", method: .post, headers: headers, body: way.body) {
                    try Self.expectPrediction($0, way.type ?? "none", image: way.name)
                }
            }
        }
        #expect(
            server.detector.calls
                == [FakeDetector.Call](
                    repeating: .init(sizes: [[64, 48]], threshold: 0.9), count: ways.count))
    }

    @Test func severalFilesGetAList() async throws {
        try await InProcessServer.run { client in
            let (type, form) = TestImages.form([
                ("file", "a.png", try TestImages.small()),
                ("image", "b.jpg", try TestImages.small(.jpeg, width: 32, height: 16)),
            ])
            try await client.execute(uri: "/predict", method: .post, headers: [.contentType: type], body: form) {
                response in
                let list = try #require(response.json as? [[String: Any]])
                #expect(list.map { $0["image"] as? String } == ["a.png", "b.jpg"])
                #expect(list.map { $0["width"] as? Int } == [64, 32])
                #expect(list.map { ($0["results"] as? [Any])?.count } == [3, 3])
            }
            // No image can hold the results of several.
            try await client.execute(
                uri: "/predict?annotate=true", method: .post, headers: [.contentType: type, .accept: "image/png"],
                body: form
            ) { #expect($0.status == .notAcceptable, "\($0.text)") }
            try await client.execute(
                uri: "/predict?annotate=true", method: .post, headers: [.contentType: type], body: form
            ) { response in
                let list = try #require(response.json as? [[String: Any]])
                #expect(list.compactMap { $0["annotated"] as? String }.count == 2)
            }
        }
    }

    @Test(
        arguments: [
            ("", 0.9, [20, 18, 91]), ("threshold=0.4", 0.4, [20, 18, 91, 1]), ("threshold=0.97", 0.97, [20]),
            ("threshold=1", 1, []), ("limit=2", 0.9, [20, 18]), ("labels=Dog,91", 0.9, [18, 91]),
            ("labels=dog%2C%20sheep&limit=1", 0.9, [20]), ("labels=nobody", 0.9, []),
            ("model=other", 0.9, [20, 18, 91]),
        ] as [(String, Float, [Int])])
    func theQueryFilters(query: String, threshold: Float, labels: [Int]) async throws {
        let server = try await InProcessServer(models: ["demo", "other"])
        try await server.test { client in
            try await client.execute(
                uri: "/predict?\(query)", method: .post, headers: Self.png, body: try TestImages.small()
            ) { response in
                let results = try #require(response.object["results"] as? [[String: Any]])
                #expect(results.map { $0["label"] as? Int } == labels)
                #expect((response.object["threshold"] as? NSNumber)?.floatValue == threshold)
                #expect(response.object["model"] as? String == (query == "model=other" ? "other" : "demo"))
            }
        }
        #expect(server.detector.calls.map(\.threshold) == [threshold])
    }

    @Test func anAnnotatedImageHasTheAcceptedType() async throws {
        try await InProcessServer.run { client in
            // A smaller one is enlarged before it is drawn on.
            let image = try TestImages.small(width: 320, height: 240)
            for (accept, type, format) in [
                ("image/png", "image/png", ImageFormat.png), ("*/*", "image/jpeg", .jpeg),
                ("image/*;q=0.8, image/png;q=0.9", "image/png", .png),
            ] {
                try await client.execute(
                    uri: "/predict?annotate=true", method: .post,
                    headers: [.contentType: "image/png", .accept: accept], body: image
                ) { response in
                    #expect(response.headers[.contentType] == type)
                    let drawn = try ImageDecoder.decode(Array(buffer: response.body))
                    #expect(drawn.format == format)
                    #expect(drawn.bitmap.width == 320 && drawn.bitmap.height == 240)
                    #expect(drawn.bitmap.pixels.contains { $0 > 150 }, "nothing is drawn on the gray image")
                }
            }
            try await client.execute(
                uri: "/predict?annotate=true&labels=nobody", method: .post,
                headers: [.contentType: "image/png", .accept: "image/png"], body: image
            ) { response in
                let drawn = try ImageDecoder.decode(Array(buffer: response.body))
                #expect(drawn.bitmap.pixels.allSatisfy { $0 == 90 }, "only what is asked for is drawn")
            }
            try await client.execute(
                uri: "/predict?annotate=1", method: .post,
                headers: [.contentType: "image/png", .accept: "application/json"], body: image
            ) { response in
                let data = try #require(Data(base64Encoded: response.object["annotated"] as? String ?? ""))
                #expect(try ImageDecoder.decode([UInt8](data)).format == .jpeg)
            }
        }
    }

    @Test func aDamagedImageThatStillDecodesCarriesAWarning() async throws {
        var bytes = try Fixtures.bytes("images/baseline.jpg")
        let middle = bytes.count / 2
        bytes.replaceSubrange(middle..<(middle + 2), with: [0xFF, 0xD0])  // a restart marker out of place
        let damaged = ByteBuffer(bytes: bytes)
        try await InProcessServer.run { client in
            try await client.execute(uri: "/predict", method: .post, headers: Self.png, body: damaged) {
                #expect(($0.object["warning"] as? String)?.isEmpty == false, "\($0.text)")
            }
        }
    }

    @Test func limitsOfBodiesAndPixelsHold() async throws {
        let image = try TestImages.small()
        let size = image.readableBytes
        for (maxBody, maxPixels, status, setting) in [
            (size, 64 * 48, 200, ""), (size - 1, 64 * 48, 413, "setting max-body"),
            (size, 64 * 48 - 1, 413, "max-pixels"),
        ] {
            let server = try await InProcessServer {
                $0.maxBody = maxBody
                $0.maxPixels = maxPixels
            }
            try await server.test { client in
                try await client.execute(uri: "/predict", method: .post, headers: Self.png, body: image) {
                    #expect($0.status.code == status, "\($0.text)")
                    if status == 413 { #expect(($0.object["remedy"] as? String)?.contains(setting) == true) }
                }
            }
        }
    }

    @Test func failuresOfTheDetectorDontLeakWhatTheServerHas() async throws {
        for (code, status, kind) in [
            (ApusError.Code.inference, 500, "inference"), (.deviceFault, 503, "device-fault"),
            (.device, 500, "internal"),
            (.option, 400, "bad-request"), (.image, 400, "picture"), (.model, 500, "internal"),
        ] {
            let server = try await InProcessServer()
            server.detector.fail(ApusError(code, doing: "detect objects", cause: "secret /etc/models"))
            try await server.test { client in
                try await client.execute(
                    uri: "/predict", method: .post, headers: Self.png, body: try TestImages.small()
                ) { response in
                    #expect(response.status.code == status, "\(response.text)")
                    #expect(response.object["type"] as? String == "/docs#\(kind)")
                    if status >= 500 {
                        #expect(!response.text.contains("secret"))
                        #expect(server.log.contains { "\($0.metadata["error"] ?? "")".contains("secret") })
                    }
                    if kind == "device-fault" { #expect(response.headers[.retryAfter] == "30") }
                }
            }
        }
    }

    @Test func aModelThatIsNotReadyIsReportedBeforeTheBodyIsRead() async throws {
        let server = try await InProcessServer(loads: false)
        try await server.test { client in
            func expect(_ kind: String, retryAfter: String?) async throws {
                // A body of this type would be refused if it were read.
                try await client.execute(uri: "/predict", method: .post, headers: [.contentType: "text/html"]) {
                    #expect($0.status == .serviceUnavailable, "\($0.text)")
                    #expect($0.object["type"] as? String == "/docs#\(kind)")
                    #expect($0.headers[.retryAfter] == retryAfter)
                }
            }
            try await expect("loading", retryAfter: "2")
            try await server.server.models.loadAll()
            try server.server.models.unload("demo")
            try await expect("model-unavailable", retryAfter: nil)
        }
    }

    @Test func aFullQueueRefusesAtOnce() async throws {
        let server = try await InProcessServer { $0.inference = .init(queue: 0, concurrency: 1) }
        let place = try server.server.queue.admit()
        try await server.test { client in
            try await client.execute(
                uri: "/predict", method: .post, headers: Self.png, body: try TestImages.small()
            ) { response in
                #expect(response.status == .serviceUnavailable)
                #expect(response.object["type"] as? String == "/docs#queue-full")
                #expect(response.headers[.retryAfter].flatMap { Int($0) }.map { (1...60).contains($0) } == true)
            }
        }
        #expect(server.detector.calls.isEmpty && server.server.queue.load.admitted == 1)
        withExtendedLifetime(place) {}
    }

    @Test(arguments: ["/predict", "/v1/vision/detection", "/v2/models/demo/infer"])
    func aFullQueueRefusesBeforeTheBodyIsRead(path: String) async throws {
        let server = try await InProcessServer { $0.inference = .init(queue: 0, concurrency: 1) }
        try await server.test { client in
            func status() async throws -> HTTPResponse.Status {
                // A body of this kind is refused for what it is, if it is read.
                try await client.execute(
                    uri: path, method: .post, headers: [.contentType: "text/html"], body: ByteBuffer(string: "<p>")
                ) { $0.status }
            }
            let place = try server.server.queue.admit()
            #expect(try await status() == .serviceUnavailable)
            withExtendedLifetime(place) {}
        }
        try await InProcessServer().test { client in
            try await client.execute(
                uri: path, method: .post, headers: [.contentType: "text/html"], body: ByteBuffer(string: "<p>")
            ) { #expect([.badRequest, .unsupportedMediaType].contains($0.status), "\($0.text)") }
        }
    }

    @Test func aRequestThatTakesTooLongTimesOutAndLeavesTheQueue() async throws {
        let server = try await InProcessServer { $0.timeout = .milliseconds(20) }
        try await server.test { client in
            try await server.whileBusy {
                try await client.execute(
                    uri: "/predict", method: .post, headers: Self.png, body: try TestImages.small()
                ) { response in
                    #expect(response.status == .gatewayTimeout, "\(response.text)")
                    #expect(response.object["type"] as? String == "/docs#timeout")
                }
                #expect(server.server.queue.load.queued == 0)
            }
        }
        #expect(server.detector.calls.isEmpty)
    }

    @Test func aServerThatStopsRefuses() async throws {
        let server = try await InProcessServer()
        server.server.queue.stop()
        try await server.test { client in
            try await client.execute(
                uri: "/predict", method: .post, headers: Self.png, body: try TestImages.small()
            ) { #expect($0.object["type"] as? String == "/docs#stopping", "\($0.text)") }
        }
    }
}
