import Apus
import ApusServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Imaging
import NIOCore
import TestSupport
import Testing

/// What `POST /predict` refuses, and how it says so.
struct PredictFailureTests {
    private struct Failure: Sendable, CustomTestStringConvertible {
        var uri = "/predict"
        var type: String? = "image/png"
        var accept: String?
        var body: ByteBuffer
        var status: Int
        var kind: String
        /// Part of the detail.
        var detail: String
        /// Part of the remedy.
        var remedy: String?
        var testDescription: String { "\(uri) \(type ?? "") \(kind): \(detail)" }
    }

    private static func failures() throws -> [Failure] {
        let image = try TestImages.small()
        let (form, unknown) = TestImages.form([("picture", "a.png", image)])
        let (_, several) = TestImages.form(
            [(String, String?, ByteBuffer)](repeating: ("file", "a.png", image), count: 17))
        let (_, empty) = TestImages.form([("file", "a.png", ByteBuffer())])
        let (_, none) = TestImages.form([])
        func json(_ text: String, _ detail: String, status: Int = 400, kind: String = "bad-request") -> Failure {
            Failure(
                type: "application/json", body: ByteBuffer(string: text), status: status, kind: kind, detail: detail)
        }
        func query(_ text: String, _ detail: String, status: Int = 400, kind: String = "bad-request") -> Failure {
            Failure(uri: "/predict?\(text)", body: image, status: status, kind: kind, detail: detail)
        }
        return [
            Failure(body: ByteBuffer(), status: 400, kind: "picture", detail: "The image is empty"),
            Failure(
                body: ByteBuffer(string: "GIF89a"), status: 400, kind: "picture", detail: "Could not read the image"),
            Failure(type: form, body: empty, status: 400, kind: "picture", detail: "a.png is empty"),
            Failure(
                type: form, body: unknown, status: 400, kind: "bad-request", detail: "unknown field picture",
                remedy: "Name the image's field file or image"),
            Failure(type: form, body: none, status: 400, kind: "bad-request", detail: "The form"),
            Failure(
                type: form, body: several, status: 413, kind: "too-large", detail: "more than 16 images",
                remedy: "several requests"),
            Failure(
                type: form, body: unknown.getSlice(at: 0, length: 60) ?? unknown, status: 400, kind: "bad-request",
                detail: "The form can't be read"),
            Failure(
                type: "multipart/form-data", body: unknown, status: 400, kind: "bad-request", detail: "no boundary"),
            Failure(
                type: "text/html", body: image, status: 415, kind: "media-type",
                detail: "The media type text/html is not supported", remedy: "multipart/form-data"),
            Failure(
                accept: "text/html", body: image, status: 406, kind: "not-acceptable", detail: "application/json",
                remedy: "Accept"),
            json("[1]", "not a JSON object"), json("{", "not a JSON object"), json("{}", "neither of"),
            json(#"{"image": "YQ==", "url": "http://a.example/"}"#, "both of"), json(#"{"a": 1}"#, "unknown key a"),
            json(#"{"image": 5}"#, "\"image\" is not a string"), json(#"{"image": "%%%"}"#, "not valid base64"),
            json(#"{"url": "http://localhost/"}"#, "URL input is disabled", status: 403, kind: "url-refused"),
            json(
                "[" + String(repeating: "1,", count: 200) + "1]", "more than 100 values", status: 413, kind: "too-large"
            ),
            query("treshold=0.5", "treshold is unknown"),
            query("threshold=2", "must be a number from 0 to 1 (got 2)"),
            query("threshold=", "must be a number from 0 to 1"), query("threshold=nan", "must be a number from 0 to 1"),
            query("limit=0", "must be an integer from 1 to 1000 (got 0)"), query("limit=1001", "from 1 to 1000"),
            query("limit=1&limit=2", "limit is given twice"), query("annotate=perhaps", "must be true or false"),
            query("model=nobody", "There is no model named nobody", status: 404, kind: "model"),
        ]
    }

    @Test(arguments: try failures()) private func whatIsWrongIsReportedAsAProblem(failure: Failure) async throws {
        let server = try await InProcessServer()
        try await server.test { client in
            var headers: HTTPFields = [:]
            headers[.contentType] = failure.type
            headers[.accept] = failure.accept
            try await client.execute(uri: failure.uri, method: .post, headers: headers, body: failure.body) {
                response in
                let problem = response.object
                #expect(response.status.code == failure.status, "\(response.text)")
                #expect(response.headers[.contentType] == "application/problem+json")
                #expect(problem["type"] as? String == "/docs#\(failure.kind)")
                #expect(problem["status"] as? Int == failure.status)
                #expect((problem["title"] as? String)?.isEmpty == false)
                #expect((problem["detail"] as? String)?.contains(failure.detail) == true, "\(response.text)")
                if let remedy = failure.remedy {
                    #expect((problem["remedy"] as? String)?.contains(remedy) == true, "\(response.text)")
                }
                #expect(problem["request_id"] as? String == response.headers[.requestID])
            }
        }
        #expect(server.detector.calls.isEmpty)
    }
}
