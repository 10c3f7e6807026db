internal import Apus
internal import ApusDrawing
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Imaging
internal import NIOCore

/// `POST /predict`: images in, objects out.
struct PredictRoutes {
    let predictor: Predictor
    let bodies: BodyReader
    let fetcher: ImageFetcher

    func add(to routes: RouteTable, keys: APIKeyMiddleware) { routes.on(.post, "/predict", [keys], predict) }

    private func predict(_ request: Request, _ context: ServerContext) async throws -> Response {
        let query = try PredictQuery(request)
        // Rejects what it can before reading the body.
        _ = try query.responseType()
        let model = try predictor.model(query.model)
        return try await context.run { task in
            var upload = try await upload(request, context, task)
            let type = try query.responseType(isList: upload.isList)
            if query.annotates {
                for index in upload.images.indices {
                    upload.images[index].draw = { try PredictRoutes.draw(query.filter($0.detections), on: $1, type) }
                }
            }
            let prediction = try await predictor.admitted(task) { [upload] place in
                try await predictor.predict(
                    upload.images, with: model, threshold: query.threshold, in: place, record: context.record)
            }
            return try response(prediction, query, type, isList: upload.isList)
        }
    }

    private func upload(
        _ request: Request, _ context: ServerContext, _ task: RequestTask
    ) async throws -> ImageUpload {
        let body = try await bodies.read(request, context, in: task)
        var upload = try await ImageUpload.read(
            body, contentType: request.headers[.contentType], limits: predictor.limits,
            form: .init(images: ["file", "image"]))
        if let url = upload.url {
            let bytes = try await fetcher.bytes(of: url, lease: body.lease, in: task)
            upload.images = [
                EncodedImage(name: url, bytes: bytes[...], limits: predictor.limits, lease: body.lease)
            ]
        }
        return upload
    }

    private func response(
        _ prediction: Predictor.Prediction, _ query: PredictQuery, _ type: PredictQuery.ResponseType, isList: Bool
    ) throws -> Response {
        if case .image(let format) = type, let drawn = prediction.images.first?.drawn {
            return Response(
                status: .ok, headers: [.contentType: format == .png ? "image/png" : "image/jpeg"],
                body: .init(byteBuffer: ByteBuffer(bytes: drawn)))
        }
        let responses = prediction.images.map { image in
            var image = image
            image.result.detections = query.filter(image.result.detections)
            return PredictResponse(image, of: prediction)
        }
        return isList ? try .json(responses) : try .json(responses[0])
    }

    /// An image in JSON is a JPEG.
    private static func draw(
        _ found: [Detection], on image: Image, _ type: PredictQuery.ResponseType
    ) throws -> [UInt8] {
        let format: ImageFormat = if case .image(let format) = type { format } else { .jpeg }
        return try ImageEncoder.encode(image.annotated(with: found).bitmap, as: format)
    }
}
