internal import Apus
internal import HTTPTypes
internal import Hummingbird
internal import Imaging
internal import Remedies

/// The options in the query and headers of a `POST /predict`.
struct PredictQuery: Sendable {
    enum ResponseType: Sendable {
        case json
        case image(ImageFormat)
    }

    /// Nil for the default.
    var model: String?
    /// Nil for the model's own.
    var threshold: Float?
    var limit: Int?
    var labels: LabelFilter?
    var annotates: Bool
    private var accept: String?

    init(_ request: Request) throws(ServerError) {
        let query = try QueryReader(request, known: ["threshold", "limit", "labels", "model", "annotate"])
        model = query.text("model")
        threshold = try query.fraction("threshold")
        limit = try query.count("limit", 1...1000)
        labels = query.text("labels").map(LabelFilter.init)
        annotates = try query.flag("annotate")
        accept = request.headers[.accept]
    }

    /// - Parameter isList: whether there are several images, which require a JSON response.
    func responseType(isList: Bool = false) throws(ServerError) -> ResponseType {
        let offered = annotates && !isList ? ["image/jpeg", "image/png", "application/json"] : ["application/json"]
        switch Accept.best(accept, of: offered) {
        case "image/jpeg": return .image(.jpeg)
        case "image/png": return .image(.png)
        case "application/json": return .json
        default:
            throw ServerError(
                .notAcceptable, "The response can be \(offered.joined(separator: ", "))",
                remedy: "Include one of these in Accept.")
        }
    }

    /// The requested detections.
    func filter(_ detections: [Detection]) -> [Detection] {
        let kept = labels.map { labels in detections.filter(labels.admits) } ?? detections
        return limit.map { Array(kept.prefix($0)) } ?? kept
    }
}
