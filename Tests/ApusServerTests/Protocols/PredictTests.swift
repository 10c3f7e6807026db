import Apus
import ApusServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import TestSupport
import Testing

@Suite(.enabled(if: TestRuntime.isWanted)) struct PredictTests {
    private static let jpeg: HTTPFields = [.contentType: "image/jpeg"]

    @Test func aPictureIsAnsweredWhicheverWayItComes() async throws {
        try await TestServer.run { client in
            let picture = try TestImages.bytes()
            let (type, form) = TestImages.form([("file", "farm.jpg", picture)])
            let base64 = Data(Array(buffer: picture)).base64EncodedString()
            let ways: [(String, ByteBuffer)] = [
                (type, form), ("image/jpeg", picture), ("application/octet-stream", picture),
                ("application/json", ByteBuffer(string: #"{"image": "\#(base64)"}"#)),
                (
                    "application/json; charset=utf-8",
                    ByteBuffer(string: #"{"image": "data:image/jpeg;base64,\#(base64)"}"#)
                ),
            ]
            for (type, body) in ways {
                try await client.execute(
                    uri: "/predict", method: .post, headers: [.contentType: type], body: body
                ) { response in
                    #expect(response.status == .ok, "\(type): \(response.text)")
                    let results = response.object["results"] as? [[String: Any]] ?? []
                    #expect(
                        results.map { $0["category"] as? String } == [
                            "sheep", "horse", "cow", "person", "apple", "dog",
                        ], "\(type)")
                    let sheep = try #require(results.first?["boxes"] as? [Double])
                    for (edge, expected) in zip(sheep, [419.3, 294.2, 550.3, 420.6]) {
                        #expect(abs(edge - expected) < 1)
                    }
                    #expect(response.object["device"] as? String == "CPU")
                    #expect(response.object["precision"] as? String == "f32")
                    // Where it was never verified, which is so in a folder of verdicts that is empty.
                    #expect(response.object["verified"] as? String == "never")
                    #expect(response.object["width"] as? Int == 640 && response.object["height"] as? Int == 480)
                    let timings = try #require(response.object["timings_ms"] as? [String: Double])
                    #expect(Set(timings.keys) == ["queue", "decode", "preprocess", "inference", "postprocess"])
                    let seconds = try #require(response.object["inference_time"] as? Double)
                    #expect(abs(seconds * 1000 - timings["inference", default: 0]) < 0.01)
                }
            }
        }
    }

    @Test func severalFilesAreAnsweredByAList() async throws {
        try await TestServer.run { client in
            let safari = try TestImages.bytes(Fixtures.path("../../Examples/pictures/safari.jpg"))
            let (type, form) = TestImages.form([
                ("file", "farm.jpg", try TestImages.bytes()), ("file", "safari.jpg", safari),
            ])
            try await client.execute(
                uri: "/predict", method: .post, headers: [.contentType: type], body: form
            ) { response in
                let list = try #require(response.json as? [[String: Any]])
                #expect(list.map { $0["image"] as? String } == ["farm.jpg", "safari.jpg"])
                #expect(list.allSatisfy { ($0["results"] as? [Any])?.isEmpty == false })
            }
        }
    }

    @Test func theQueryFilters() async throws {
        try await TestServer.run { client in
            func found(_ query: String) async throws -> [String] {
                try await client.execute(
                    uri: "/predict?\(query)", method: .post, headers: Self.jpeg, body: try TestImages.bytes()
                ) { response in
                    (response.object["results"] as? [[String: Any]] ?? []).compactMap { $0["category"] as? String }
                }
            }
            for (query, expected) in [
                ("threshold=0.99", ["sheep", "horse", "cow", "person"]), ("limit=1", ["sheep"]),
                ("labels=Dog,18", ["dog"]), ("labels=dog%2Chorse&model=demo", ["horse", "dog"]),
            ] {
                let names = try await found(query)
                #expect(names == expected, "\(query)")
            }
        }
    }

    @Test func anAnnotatedPictureIsOfTheKindThatIsAccepted() async throws {
        try await TestServer.run { client in
            for (accept, type) in [
                ("image/png", "image/png"), ("*/*", "image/jpeg"), ("image/*;q=0.8, image/png;q=0.9", "image/png"),
            ] {
                try await client.execute(
                    uri: "/predict?annotate=true", method: .post,
                    headers: [.contentType: "image/jpeg", .accept: accept], body: try TestImages.bytes()
                ) { response in
                    #expect(response.headers[.contentType] == type)
                    let drawn = try Image(decoding: Array(buffer: response.body))
                    #expect(drawn.width == 640 && drawn.height == 480)
                }
            }
            try await client.execute(
                uri: "/predict?annotate=true", method: .post,
                headers: [.contentType: "image/jpeg", .accept: "application/json"], body: try TestImages.bytes()
            ) { response in
                let text = try #require(response.object["annotated"] as? String)
                let data = try #require(Data(base64Encoded: text))
                #expect(try Image(decoding: [UInt8](data)).width == 640)
            }
        }
    }

    @Test func methodsOtherThanPOSTAreRefused() async throws {
        try await TestServer.run { client in
            try await client.execute(uri: "/predict", method: .get) { response in
                #expect(response.status == .methodNotAllowed && response.headers[.allow] == "POST")
            }
        }
    }

    @Test func bodiesThatAreTooLargeAreRefused() async throws {
        let server = try await TestServer {
            $0.maxBody = 10_000
            $0.maxPixels = 100_000
        }
        let small = ByteBuffer(
            bytes: try Data(contentsOf: URL(fileURLWithPath: Fixtures.path("formats/orientation-1.png"))))
        try await server.test { client in
            try await client.execute(
                uri: "/predict", method: .post, headers: Self.jpeg, body: try TestImages.bytes()
            ) { response in
                #expect(response.status == .contentTooLarge)
                #expect((response.object["remedy"] as? String)?.contains("setting max-body") == true)
            }
            try await client.execute(
                uri: "/predict", method: .post, headers: [.contentType: "image/png"], body: small
            ) {
                #expect($0.status == .ok, "\($0.text)")
            }
        }
    }

    @Test func requestsHaveIdsAndTraces() async throws {
        try await TestServer.run { client in
            let (id, trace) = (HTTPField.Name("X-Request-Id"), HTTPField.Name("traceparent"))
            let (requestID, traceParent) = (try #require(id), try #require(trace))
            try await client.execute(
                uri: "/nothing", method: .get,
                headers: [
                    requestID: "camera-7",
                    traceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                ]
            ) { response in
                #expect(response.headers[requestID] == "camera-7")
                #expect(response.object["request_id"] as? String == "camera-7")
                let own = try #require(response.headers[traceParent])
                #expect(own.hasPrefix("00-0af7651916cd43dd8448eb211c80319c-") && own.hasSuffix("-01"))
                #expect(!own.contains("b7ad6b7169203331"))
            }
            try await client.execute(uri: "/nothing", method: .get, headers: [traceParent: "00-nonsense"]) {
                response in
                #expect(response.headers[requestID]?.isEmpty == false)
                #expect(response.headers[traceParent] == nil)
            }
        }
    }

    @Test func onlyWhoShowsAKeyIsAnswered() async throws {
        let server = try await TestServer { $0.keys = APIKeys(["0123456789abcdef", "fedcba9876543210"]) }
        try await server.test { client in
            let key = try #require(HTTPField.Name("X-API-Key"))
            for (headers, status) in [
                ([:], 401), ([.authorization: "Bearer wrong"], 401), ([key: ""], 401),
                ([.authorization: "Bearer 0123456789abcdef"], 200), ([key: "fedcba9876543210"], 200),
            ] as [(HTTPFields, Int)] {
                var headers = headers
                headers[.contentType] = "image/jpeg"
                try await client.execute(
                    uri: "/predict", method: .post, headers: headers, body: try TestImages.bytes()
                ) { response in
                    #expect(response.status.code == status)
                    if status == 401 { #expect(response.headers[.wwwAuthenticate] == "Bearer") }
                }
            }
        }
    }

    @Test func metricsTellWhatWasDone() async throws {
        try await TestServer.run { client in
            _ = try await client.execute(
                uri: "/predict", method: .post, headers: Self.jpeg, body: try TestImages.bytes())
            _ = try await client.execute(
                uri: "/predict", method: .post, headers: Self.jpeg, body: ByteBuffer(string: "x"))
            try await client.execute(uri: "/metrics", method: .get) { response in
                #expect(response.headers[.contentType]?.hasPrefix("text/plain; version=0.0.4") == true)
                let lines = Set(response.text.split(separator: "\n").map(String.init))
                for line in [
                    #"apus_requests_total{route="/predict",method="POST",model="demo",status="200"} 1"#,
                    #"apus_requests_total{route="/predict",method="POST",model="demo",status="400"} 1"#,
                    #"apus_objects_total{model="demo"} 6"#, #"apus_pictures_total{model="demo"} 1"#,
                    #"apus_model_ready{model="demo"} 1"#, "apus_queue_depth 0", "apus_requests_in_flight 1",
                    #"apus_batch_size_bucket{model="demo",le="1"} 1"#,
                    #"apus_stage_duration_seconds_count{stage="inference",model="demo"} 1"#,
                    "# TYPE apus_requests_total counter", "# TYPE apus_request_duration_seconds histogram",
                ] { #expect(lines.contains(line), "\(line)") }
                #expect(
                    response.text.contains(#"apus_model_info{model="demo",version="1",family="detr",device="CPU""#))
            }
        }
    }
}
