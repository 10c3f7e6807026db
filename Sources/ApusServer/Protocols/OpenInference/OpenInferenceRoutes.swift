internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// The Open Inference Protocol over HTTP, compatible with Triton, KServe and OpenVINO Model Server.
struct OpenInferenceRoutes {
    let service: OpenInferenceService
    let bodies: BodyReader
    let version: String

    func add(to routes: RouteTable, keys: APIKeyMiddleware) {
        let guarded: [any MiddlewareProtocol<Request, Response, ServerContext>] = [keys]
        let models = service.predictor.models
        // Health checks need no key.
        routes.on(.get, "/v2/health/live") { _, _ in try .json(["live": true]) }
        routes.on(.get, "/v2/health/ready") { _, _ in
            let isReady = models.isReady
            return try .json(["ready": isReady, "live": true], status: isReady ? .ok : .serviceUnavailable)
        }
        routes.on(.get, "/v2", guarded) { _, _ in try .json(ServerDescription(version: version)) }
        for path in ["/v2/models/{model}", "/v2/models/{model}/versions/{version}"] {
            routes.on(.get, path, guarded) { _, context in
                try .json(try service.describe(model(context), context.parameters.get("version")))
            }
            routes.on(.get, path + "/ready", guarded) { _, context in
                let name = try model(context)
                _ = try service.ready(name, context.parameters.get("version"))
                return try .json(Readiness(name: name, ready: true))
            }
            routes.on(.post, path + "/infer", guarded, infer)
        }
        routes.on(.post, "/v2/repository/index", guarded, index)
        routes.on(.post, "/v2/repository/models/{model}/load", guarded) { request, context in
            try InferParameters.check(try await repositoryRequest(request, context).parameters, .load)
            try await service.load(try model(context))
            return Response(status: .ok)
        }
        routes.on(.post, "/v2/repository/models/{model}/unload", guarded) { request, context in
            try InferParameters.check(try await repositoryRequest(request, context).parameters, .unload)
            try models.unload(try model(context))
            return Response(status: .ok)
        }
    }

    private struct ServerDescription: Encodable {
        var name = "apus"
        var version: String
        var extensions = OpenInferenceService.extensions
    }

    private struct Readiness: Encodable {
        var name: String
        var ready: Bool
    }

    /// The optional body of a repository request.
    private struct RepositoryRequest: Sendable {
        var onlyReady = false
        var parameters: Set<String> = []
    }

    private func repositoryRequest(_ request: Request, _ context: ServerContext) async throws -> RepositoryRequest {
        try await context.run { task in
            let body = try await bodies.read(request, context, in: task)
            guard !body.bytes.isEmpty else { return RepositoryRequest() }
            return try await BoundedJSON.work(size: body.bytes.count) {
                guard let object = try BoundedJSON.object(body.bytes[...], maxValues: 1000) else {
                    throw ServerError.badRequest("The body is not a JSON object")
                }
                return RepositoryRequest(
                    onlyReady: try InferJSON.flag(object["ready"], "ready") ?? false,
                    parameters: Set(try InferJSON.dictionary(object["parameters"], "parameters").keys))
            }
        }
    }

    private func model(_ context: ServerContext) throws -> String { try context.parameters.require("model") }

    private func infer(_ request: Request, _ context: ServerContext) async throws -> Response {
        // Before reading the body, which may be large.
        let target = try service.ready(try model(context), context.parameters.get("version"))
        let headLength = try request.headers[.inferenceHeaderLength].map { text throws(ServerError) in
            guard let length = Int(text), length >= 0 else {
                throw .badRequest("Inference-Header-Content-Length is not a number of bytes")
            }
            return length
        }
        return try await context.run { task in
            let body = try await bodies.read(request, context, in: task)
            defer { withExtendedLifetime(body.lease) {} }
            return try await service.predictor.admitted(task) { place in
                let (request, form) = try await BoundedJSON.work(size: headLength ?? body.bytes.count) {
                    try InferJSON.read(body.bytes, headLength: headLength)
                }
                let response = try await service.infer(request, on: target, in: place, record: context.record)
                let size = response.outputs.reduce(0) { $0 + $1.byteCount }
                return try await BoundedJSON.work(size: 8 * size) {
                    try OpenInferenceRoutes.response(InferJSON.write(response, form))
                }
            }
        }
    }

    private static func response(_ written: InferJSON.Written) -> Response {
        guard written.bytes.readableBytes > written.headLength else {
            return Response(
                status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: written.bytes))
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "application/octet-stream", .inferenceHeaderLength: "\(written.headLength)",
            ], body: .init(byteBuffer: written.bytes))
    }

    private func index(_ request: Request, _ context: ServerContext) async throws -> Response {
        try .json(service.index(onlyReady: try await repositoryRequest(request, context).onlyReady))
    }
}

extension HTTPField.Name {
    fileprivate static let inferenceHeaderLength = named("Inference-Header-Content-Length")
}
