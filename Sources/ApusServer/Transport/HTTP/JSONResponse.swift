internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

extension JSONEncoder {
    /// With sorted keys in snake case.
    static var server: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}

extension Response {
    static func json(
        _ value: some Encodable, status: HTTPResponse.Status = .ok,
        keys: JSONEncoder.KeyEncodingStrategy = .convertToSnakeCase
    ) throws -> Response {
        let encoder = JSONEncoder.server
        encoder.keyEncodingStrategy = keys
        let data = try encoder.encode(value)
        return Response(
            status: status, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: data)))
    }
}
