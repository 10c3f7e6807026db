internal import Apus
internal import FormData
internal import Foundation
internal import HTTPTypes
internal import Hummingbird

/// The DeepStack API, as used by CodeProject.AI and the clients of Frigate, Blue Iris and Home Assistant.
struct DeepStackRoutes {
    let predictor: Predictor
    let bodies: BodyReader
    let keys: APIKeys
    let version: String
    /// The min confidence if the client sends none.
    let confidence: Float
    /// The max number of objects in a response; nil for all. Frigate's client has room for 20.
    let limit: Int?

    func add(to routes: RouteTable) {
        routes.on(.post, "/v1/vision/detection") { request, context in
            try await detect(request, context, model: nil, command: "detect")
        }
        routes.on(.post, "/v1/vision/custom/list") { request, context in
            try requirePossibleKey(request)
            return try await context.run { task in
                let body = try await bodies.read(request, context, in: task)
                try authorize(request, try await fields(body, request))
                return try .json(DeepStackModels(models: predictor.models.names), keys: .useDefaultKeys)
            }
        }
        routes.on(.post, "/v1/vision/custom/{model}") { request, context in
            try await detect(
                request, context, model: try context.parameters.require("model"), command: "custom")
        }
        routes.on(.get, "/v1/status") { request, _ in
            guard isAuthorized(request) else { throw ServerError.unauthorized }
            return try .json(
                DeepStackStatus(
                    version: version, isReady: predictor.models.isReady,
                    models: predictor.models.names), keys: .useDefaultKeys)
        }
    }

    private func detect(
        _ request: Request, _ context: ServerContext, model name: String?, command: String
    ) async throws -> Response {
        let start = ContinuousClock.now
        try requirePossibleKey(request)
        let model = try predictor.model(name)
        return try await context.run { task in
            let body = try await bodies.read(request, context, in: task)
            if !isAuthorized(request) { try authorize(request, try await fields(body, request)) }
            let upload = try await ImageUpload.read(
                body, contentType: request.headers[.contentType], limits: predictor.limits,
                form: .init(images: ["image"], texts: ["min_confidence", "api_key", "typedet"]))
            guard upload.images.count == 1 else {
                throw ServerError.badRequest("A request must have one image; this one has \(upload.images.count)")
            }
            let minConfidence = try upload.texts["min_confidence"].map { text throws(ServerError) in
                try RequestValues.fraction(text, "min_confidence")
            }
            let prediction = try await predictor.admitted(task) { place in
                try await predictor.predict(
                    upload.images, with: model, threshold: minConfidence ?? confidence, in: place,
                    record: context.record)
            }
            let response = DeepStackDetection(
                prediction, limit: limit, command: command, duration: ContinuousClock.now - start)
            return try .json(response, keys: .useDefaultKeys)
        }
    }

    /// The non-image fields of a form; empty for other bodies.
    private func fields(_ body: BodyReader.Body, _ request: Request) async throws -> [String: String] {
        guard let boundary = request.headers[.contentType].flatMap(Multipart.boundary) else { return [:] }
        return try await Blocking.run {
            let form = try Multipart(readable: body.bytes, boundary: boundary)
            var fields: [String: String] = [:]
            for part in form.parts where part.filename == nil && part.content.count <= 4096 {
                fields[part.name] = String(decoding: body.bytes[part.content], as: UTF8.self)
            }
            return fields
        }
    }

    // MARK: Keys

    /// Whether a header contains a valid key, or none is required.
    private func isAuthorized(_ request: Request) -> Bool {
        !keys.areWanted || request.presentedKey.map { keys.contains($0) } ?? false
    }

    /// Rejects a body that can't contain a key: these clients send it in a form.
    private func requirePossibleKey(_ request: Request) throws(ServerError) {
        guard isAuthorized(request) || request.headers[.contentType].flatMap(Multipart.boundary) != nil else {
            throw .unauthorized
        }
    }

    private func authorize(_ request: Request, _ fields: [String: String]) throws(ServerError) {
        guard isAuthorized(request) || fields["api_key"].map({ keys.contains($0) }) ?? false else {
            throw .unauthorized
        }
    }
}
