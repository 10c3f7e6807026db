internal import Apus
internal import FormData
internal import Foundation
internal import HTTPTypes
internal import Hummingbird

/// The API of DeepStack, as CodeProject.AI and Frigate's, Blue Iris' and Home Assistant's clients know it.
struct DeepStackRoutes {
    let predictor: Predictor
    let bodies: BodyReader
    let keys: APIKeys
    let version: String
    /// The least confidence where the client names none.
    let confidence: Float
    /// The most objects of an answer; nil for all. Frigate's client has room for 20.
    let limit: Int?

    private struct Prediction: Encodable {
        var confidence: Float
        var label: String
        var xMin: Int
        var yMin: Int
        var xMax: Int
        var yMax: Int

        private enum CodingKeys: String, CodingKey {
            case confidence, label
            case xMin = "x_min"
            case yMin = "y_min"
            case xMax = "x_max"
            case yMax = "y_max"
        }
    }

    private struct Answer: Encodable {
        var success = true
        var predictions: [Prediction]
        var count: Int
        var message: String
        var duration = 0
        var command: String
        var moduleId = "apus"
        var executionProvider: String
        var canUseGPU: Bool
        var inferenceMs: Int
        var processMs: Int
        var analysisRoundTripMs: Int
    }

    func add(to routes: RouteTable) {
        routes.on(.post, "/v1/vision/detection") { request, context in
            try await detect(request, context, model: nil, command: "detect")
        }
        routes.on(.post, "/v1/vision/custom/list") { request, context in
            try requirePossibleKey(request)
            let body = try await bodies.read(request, context)
            try authorize(request, try await fields(body, request))
            return try .json(
                ModelList(models: predictor.models.names), keys: .useDefaultKeys)
        }
        routes.on(.post, "/v1/vision/custom/{model}") { request, context in
            try await detect(
                request, context, model: try context.parameters.require("model"), command: "custom")
        }
        routes.on(.get, "/v1/status") { request, _ in
            guard isAuthorized(request) else { throw ServerError.unauthorized }
            return try .json(
                Status(
                    version: version, isReady: predictor.models.isReady,
                    models: predictor.models.names), keys: .useDefaultKeys)
        }
    }

    private struct ModelList: Encodable {
        var success = true
        var models: [String]
        var duration = 0
    }

    private struct Status: Encodable {
        var success = true
        var name = "Apus"
        var version: String
        var isReady: Bool
        var models: [String]
    }

    private func detect(
        _ request: Request, _ context: ServerContext, model: String?, command: String
    ) async throws -> Response {
        let start = ContinuousClock.now
        try requirePossibleKey(request)
        try predictor.requireSpace(for: model)
        return try await context.endingWithTheClient {
            let read = try await bodies.read(request, context)
            if !isAuthorized(request) { try authorize(request, try await fields(read, request)) }
            let upload = try await PictureUpload.read(
                read, contentType: request.headers[.contentType], limits: predictor.limits,
                fileFields: ["image"], otherFields: ["min_confidence", "api_key", "typedet"])
            let fields = upload.fields
            guard upload.pictures.count == 1 else {
                throw ServerError.badRequest("A request has one picture; this one has \(upload.pictures.count)")
            }
            let least = try fields["min_confidence"].map {
                text throws(ServerError) in try RequestValues.fraction(text, "min_confidence")
            }
            let prediction = try await predictor.admitted { place in
                try await predictor.predict(
                    upload.pictures, model: model, threshold: least ?? confidence, in: place, record: context.record
                )
            }
            return try answer(prediction, command, start)
        }
    }

    private func answer(
        _ prediction: Predictor.Prediction, _ command: String, _ start: ContinuousClock.Instant
    ) throws -> Response {
        let picture = prediction.pictures[0].result
        // Clients stop at the first name that they do not know, so a class without a name is none of theirs.
        let named = picture.detections.compactMap { found -> Prediction? in
            guard let name = found.category else { return nil }
            func pixel(_ edge: Float, _ side: Int) -> Int { Int(min(max(edge.rounded(), 0), Float(side))) }
            return Prediction(
                confidence: found.score, label: name, xMin: pixel(found.box.xMin, picture.width),
                yMin: pixel(found.box.yMin, picture.height), xMax: pixel(found.box.xMax, picture.width),
                yMax: pixel(found.box.yMax, picture.height))
        }
        let predictions = Array(named.sorted { $0.confidence > $1.confidence }.prefix(limit ?? .max))
        let names = predictions.prefix(3).map(\.label).joined(separator: ", ")
        let execution = prediction.model.detector.execution
        let spent = Int((ContinuousClock.now - start).milliseconds.rounded())
        return try .json(
            Answer(
                predictions: predictions, count: predictions.count,
                message: predictions.isEmpty
                    ? "No objects found" : "Found \(names)\(predictions.count > 3 ? "..." : "")",
                command: command, executionProvider: execution.device,
                canUseGPU: execution.device.hasPrefix("GPU"),
                inferenceMs: Int(prediction.timings.inference.rounded()), processMs: spent,
                analysisRoundTripMs: spent), keys: .useDefaultKeys)
    }

    /// The fields of a form that aren't images; none of another body.
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

    /// Whether a key is shown in a header, or none is needed.
    private func isAuthorized(_ request: Request) -> Bool {
        !keys.areWanted || request.presentedKey.map { keys.contains($0) } ?? false
    }

    /// Refuses a body in which no key could be: these clients send theirs in a form.
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
