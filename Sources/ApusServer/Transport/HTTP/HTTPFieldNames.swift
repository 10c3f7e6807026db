internal import HTTPTypes

extension HTTPField.Name {
    static func named(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is a valid header name") }
        return name
    }

    static let requestID = named("X-Request-Id")
    static let traceParent = named("traceparent")
    static let apiKey = named("X-API-Key")
}
