internal import Apus
internal import Drawing
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Imaging
internal import NIOCore

/// `POST /predict`: pictures in, objects out.
struct PredictRoutes {
    let predictor: Predictor
    let bodies: BodyReader
    let fetcher: PictureFetcher

    static let query: Set = ["threshold", "limit", "labels", "model", "annotate"]

    func predict(_ request: Request, _ context: ServerContext) async throws -> Response {
        let query = try QueryReader(request, known: PredictRoutes.query)
        let asked = Asked(
            threshold: try query.fraction("threshold"), limit: try query.count("limit", 1...1000),
            labels: query.text("labels").map(LabelFilter.init), annotates: try query.flag("annotate"),
            accept: request.headers[.accept])
        let type = try asked.type()
        let contentType = request.headers[.contentType]
        try predictor.requireSpace(for: query.text("model"))
        return try await context.endingWithTheClient {
            let read = try await bodies.read(request, context)
            var upload = try await PictureUpload.read(
                read, contentType: contentType, limits: predictor.limits, fileFields: ["file", "image"])
            if let address = upload.address {
                let bytes = try await fetcher.bytes(of: address, lease: read.lease)
                upload.pictures = [
                    EncodedPicture(name: address, bytes: bytes, limits: predictor.limits, lease: read.lease)
                ]
            }
            // Several pictures cannot be answered by one.
            let type = upload.isList ? try asked.listType() : type
            if asked.annotates {
                for index in upload.pictures.indices {
                    upload.pictures[index].draw = {
                        try PredictRoutes.draw(asked.filter($0.detections), on: $1, type)
                    }
                }
            }
            let prediction = try await predictor.admitted { [upload] place in
                try await predictor.predict(
                    upload.pictures, model: query.text("model"), threshold: asked.threshold, in: place,
                    record: context.record)
            }
            return try answer(prediction, asked, type, isList: upload.isList)
        }
    }

    // MARK: The answer

    private enum AnswerType: Sendable {
        case json
        case picture(ImageFormat)
    }

    private struct Asked: Sendable {
        var threshold: Float?
        var limit: Int?
        var labels: LabelFilter?
        var annotates: Bool
        var accept: String?

        func type() throws(ServerError) -> AnswerType {
            try type(of: annotates ? ["image/jpeg", "image/png", "application/json"] : ["application/json"])
        }

        /// Of an answer to several pictures.
        func listType() throws(ServerError) -> AnswerType { try type(of: ["application/json"]) }

        private func type(of offered: [String]) throws(ServerError) -> AnswerType {
            switch Accept.best(accept, of: offered) {
            case "image/jpeg": return .picture(.jpeg)
            case "image/png": return .picture(.png)
            case "application/json": return .json
            default:
                throw ServerError(
                    "not-acceptable", .notAcceptable, title: "There is no answer of that kind",
                    detail: "The answer is \(offered.joined(separator: ", "))",
                    remedy: "Name one of these in Accept.")
            }
        }

        /// What of the detections was asked for, and whether anything was left out.
        func filter(_ detections: [Detection]) -> [Detection] {
            let kept = labels.map { labels in detections.filter(labels.admits) } ?? detections
            return limit.map { Array(kept.prefix($0)) } ?? kept
        }
    }

    private func answer(
        _ prediction: Predictor.Prediction, _ asked: Asked, _ type: AnswerType, isList: Bool
    ) throws -> Response {
        if case .picture(let format) = type, let drawn = prediction.pictures.first?.drawn {
            return Response(
                status: .ok, headers: [.contentType: format == .png ? "image/png" : "image/jpeg"],
                body: .init(byteBuffer: ByteBuffer(bytes: drawn)))
        }
        let threshold = asked.threshold ?? prediction.model.detector.configuration.threshold
        let answers = prediction.pictures.map { picture in
            var picture = picture
            picture.result.detections = asked.filter(picture.result.detections)
            var answer = PredictResponse(
                picture, waited: prediction.timings.queue, threshold: threshold, model: prediction.model)
            answer.annotated = picture.drawn.map { Data($0).base64EncodedString() }
            return answer
        }
        return isList ? try .json(answers) : try .json(answers[0])
    }

    /// A picture in JSON is a JPEG.
    private static func draw(_ found: [Detection], on image: Image, _ type: AnswerType) throws -> [UInt8] {
        let annotations = found.map { found in
            Annotation(
                xMin: Double(found.box.xMin), yMin: Double(found.box.yMin), xMax: Double(found.box.xMax),
                yMax: Double(found.box.yMax),
                label: (found.category ?? "class \(found.label)") + String(format: " %.2f", found.score),
                colorClass: found.label)
        }
        let format: ImageFormat = if case .picture(let format) = type { format } else { .jpeg }
        return try ImageEncoder.encode(try Annotator.draw(annotations, on: image.bitmap), as: format)
    }
}

/// Classes by name or number, as "person,dog" or "1,18".
struct LabelFilter: Sendable {
    private let words: Set<String>

    init(_ text: String) {
        words = Set(text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces).lowercased() })
    }

    func admits(_ detection: Detection) -> Bool {
        words.contains("\(detection.label)") || detection.category.map { words.contains($0.lowercased()) } ?? false
    }
}
