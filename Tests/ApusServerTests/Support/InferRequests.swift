import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore

enum InferRequests {
    static func infer(
        _ client: any TestClientProtocol, _ json: String, _ binary: [UInt8] = [],
        path: String = "/v2/models/demo/infer",
        headLength: Int? = nil, _ check: (TestResponse) throws -> Void
    ) async throws {
        var headers: HTTPFields = [.contentType: "application/json"]
        if !binary.isEmpty || headLength != nil {
            headers[.inferenceHeaderLength] = "\(headLength ?? json.utf8.count)"
        }
        let response = try await client.execute(
            uri: path, method: .post, headers: headers, body: ByteBuffer(bytes: Array(json.utf8) + binary)
        ) { $0 }
        try check(response)
    }
}
