import Apus
import ApusServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

/// Every metric, and when it changes.
struct ServerMetricsTests {
    private static func lines(_ client: any TestClientProtocol) async throws -> [String] {
        try await client.execute(uri: "/metrics", method: .get) { response in
            #expect(response.status == .ok)
            #expect(response.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
            return response.text.split(separator: "\n").map(String.init)
        }
    }

    private static func predict(_ client: any TestClientProtocol, _ body: ByteBuffer) async throws {
        _ = try await client.execute(uri: "/predict", method: .post, headers: [.contentType: "image/png"], body: body)
    }

    @Test func everyMetricIsThereWithItsTypeAndHelp() async throws {
        try await InProcessServer.run { client in
            try await Self.predict(client, try TestImages.small())
            let lines = try await Self.lines(client)
            for (name, type) in [
                ("apus_requests_total", "counter"), ("apus_request_duration_seconds", "histogram"),
                ("apus_stage_duration_seconds", "histogram"), ("apus_rejected_total", "counter"),
                ("apus_requests_in_flight", "gauge"), ("apus_admitted", "gauge"), ("apus_queue_depth", "gauge"),
                ("apus_running", "gauge"), ("apus_pictures_total", "counter"), ("apus_objects_total", "counter"),
                ("apus_model_info", "gauge"), ("apus_model_verified", "gauge"), ("apus_model_ready", "gauge"),
                ("apus_model_cache_hits", "gauge"), ("apus_model_compilations", "gauge"),
                ("process_resident_memory_bytes", "gauge"), ("process_start_time_seconds", "gauge"),
                ("apus_batch_size", "histogram"),
            ] {
                #expect(lines.contains("# TYPE \(name) \(type)"), "\(name)")
                #expect(lines.contains { $0.hasPrefix("# HELP \(name) ") }, "\(name)")
            }
            // Each metric's help and type stand once, before its values.
            #expect(Set(lines.filter { $0.hasPrefix("#") }).count == lines.count { $0.hasPrefix("#") })
        }
    }

    @Test func requestsAreCountedAndTimed() async throws {
        let server = try await InProcessServer()
        try await server.test { client in
            let image = try TestImages.small()
            try await Self.predict(client, image)
            try await Self.predict(client, ByteBuffer(string: "x"))
            let (type, form) = TestImages.form([("file", "a.png", image), ("file", "b.png", image)])
            _ = try await client.execute(uri: "/predict", method: .post, headers: [.contentType: type], body: form)
            _ = try await client.execute(uri: "/v2/models/nobody", method: .get)
            _ = try await client.execute(uri: "/what/a/client/made/up", method: try #require(.init("BREW")))
            let lines = try await Self.lines(client)
            for line in [
                #"apus_requests_total{route="/predict",method="POST",model="demo",status="200"} 2"#,
                #"apus_requests_total{route="/predict",method="POST",model="demo",status="400"} 1"#,
                #"apus_requests_total{route="/v2/models/{model}",method="GET",model="",status="404"} 1"#,
                #"apus_requests_total{route="NotFound",method="other",model="",status="404"} 1"#,
                #"apus_request_duration_seconds_count{route="/predict"} 3"#,
                #"apus_request_duration_seconds_bucket{route="/predict",le="+Inf"} 3"#,
                #"apus_pictures_total{model="demo"} 3"#, #"apus_objects_total{model="demo"} 9"#,
                #"apus_batch_size_count{model="demo"} 2"#, #"apus_batch_size_bucket{model="demo",le="1"} 2"#,
                #"apus_stage_duration_seconds_count{stage="inference",model="demo"} 2"#,
                #"apus_stage_duration_seconds_bucket{stage="inference",model="demo",le="0.0025"} 1"#,
                #"apus_stage_duration_seconds_sum{stage="preprocess",model="demo"} 0.003"#,
                #"apus_stage_duration_seconds_count{stage="queue",model="demo"} 2"#,
                #"apus_stage_duration_seconds_count{stage="decode",model="demo"} 2"#,
                #"apus_stage_duration_seconds_count{stage="postprocess",model="demo"} 2"#,
                "apus_requests_in_flight 1", "apus_admitted 0", "apus_queue_depth 0", "apus_running 0",
            ] { #expect(lines.contains(line), "\(line)") }
            let memory = lines.first { $0.hasPrefix("process_resident_memory_bytes ") }?.split(separator: " ").last
            #expect(memory.flatMap { Int($0) }.map { $0 > 1_000_000 } == true)
            let start = lines.first { $0.hasPrefix("process_start_time_seconds ") }?.split(separator: " ").last
            #expect(start.flatMap { Double($0) }.map { $0 > 1_700_000_000 } == true)
        }
    }

    @Test func refusalsAreCountedByTheirReason() async throws {
        let server = try await InProcessServer(loads: false) { $0.inference = .init(queue: 0, concurrency: 1) }
        try await server.test { client in
            let image = try TestImages.small()
            func rejected() async throws -> [String] {
                try await Self.lines(client).filter { $0.hasPrefix("apus_rejected_total") }
            }
            #expect(
                try await rejected()
                    == ["bodies-full", "device-fault", "loading", "queue-full", "stopping"].map {
                        "apus_rejected_total{reason=\"\($0)\"} 0"
                    })
            try await Self.predict(client, image)
            try await server.server.models.loadAll()
            let place = try server.server.queue.admit()
            try await Self.predict(client, image)
            try await Self.predict(client, image)
            withExtendedLifetime(place) {}
            let lines = try await rejected()
            #expect(lines.contains(#"apus_rejected_total{reason="loading"} 1"#))
            #expect(lines.contains(#"apus_rejected_total{reason="queue-full"} 2"#))
            #expect(lines.contains(#"apus_rejected_total{reason="stopping"} 0"#))
        }
    }

    @Test func theQueueIsShownAsItIs() async throws {
        let server = try await InProcessServer()
        let places = [try server.server.queue.admit(), try server.server.queue.admit()]
        try await server.test { client in
            try await server.whileBusy {
                let lines = try await Self.lines(client)
                #expect(lines.contains("apus_admitted 2") && lines.contains("apus_running 1"))
            }
        }
        withExtendedLifetime(places) {}
    }

    @Test func modelsAreShownWhileTheyAreInService() async throws {
        let server = try await InProcessServer(FakeDetector(device: "GPU.0", verified: .no), models: ["demo", "other"])
        try await server.test { client in
            func shown(_ model: String) async throws -> [String] {
                try await Self.lines(client).filter { $0.hasPrefix("apus_model_") && $0.contains("model=\"\(model)\"") }
            }
            let info = #"apus_model_info{model="demo",version="1",family="fake",device="GPU.0",precision="f32"} 1"#
            let all = [
                #"apus_model_cache_hits{model="demo"} 2"#, #"apus_model_compilations{model="demo"} 1"#, info,
                #"apus_model_ready{model="demo"} 1"#, #"apus_model_verified{model="demo"} 0"#,
            ]
            #expect(try await shown("demo") == all)
            server.detector.breakDevice(ApusError(.deviceFault, doing: "detect", cause: "NaN"))
            #expect(try await shown("demo").contains(#"apus_model_ready{model="demo"} 0"#))
            server.detector.breakDevice(nil)
            try server.server.models.unload("demo")
            #expect(try await shown("demo") == [#"apus_model_ready{model="demo"} 0"#])
            #expect(try await shown("other").count == 5)
            try await server.server.models.load("demo")
            #expect(try await shown("demo") == all.map { $0.replacing("version=\"1\"", with: "version=\"2\"") })
        }
    }

    @Test(arguments: [(VerificationStatus.State.yes, 1), (.no, 0), (.never, -1)])
    func verificationIsANumber(state: VerificationStatus.State, number: Int) async throws {
        try await InProcessServer(FakeDetector(verified: state)).test { client in
            let lines = try await Self.lines(client)
            #expect(lines.contains("apus_model_verified{model=\"demo\"} \(number)"))
        }
    }

    @Test func metricsCanBeLeftOut() async throws {
        let server = try await InProcessServer { $0.hasMetrics = false }
        try await server.test { client in
            try await client.execute(uri: "/metrics", method: .get) { #expect($0.status == .notFound) }
        }
    }
}
