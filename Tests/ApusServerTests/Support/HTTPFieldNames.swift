import HTTPTypes

extension HTTPField.Name {
    static let requestID = HTTPField.Name("X-Request-Id") ?? .date
    static let traceParent = HTTPField.Name("traceparent") ?? .date
    static let apiKey = HTTPField.Name("X-API-Key") ?? .date
    static let inferenceHeaderLength = HTTPField.Name("Inference-Header-Content-Length") ?? .date
}
