/// An Open Inference Protocol request, over HTTP or gRPC.
struct InferRequest: Sendable {
    var id: String?
    var inputs: [InferTensor]
    /// Nil for all.
    var outputs: [String]?
    var threshold: Float?
    var limit: Int?
}

struct InferResponse: Sendable {
    var model: String
    var version: String
    var id: String?
    var outputs: [InferTensor]
}
