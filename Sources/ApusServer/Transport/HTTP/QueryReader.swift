internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Remedies

/// Reads a request's query strictly: an unknown name is an error, as a misspelled one would be ignored silently.
struct QueryReader {
    private let values: [String: String]

    init(_ request: Request, known: Set<String>) throws(ServerError) {
        var values: [String: String] = [:]
        for (name, value) in request.uri.queryParameters {
            // Hummingbird decodes only the values.
            let name = name.removingPercentEncoding ?? String(name)
            guard known.contains(name) else {
                throw .badRequest(
                    "The query parameter \(Quoted(name)) is unknown",
                    remedy: "Known parameters: \(known.sorted().joined(separator: ", ")).")
            }
            guard values.updateValue(String(value), forKey: name) == nil else {
                throw .badRequest("The query parameter \(name) is given twice", remedy: "Give it once.")
            }
        }
        self.values = values
    }

    func text(_ name: String) -> String? { values[name] }

    func fraction(_ name: String) throws(ServerError) -> Float? {
        guard let text = values[name] else { return nil }
        return try RequestValues.fraction(text, name)
    }

    func count(_ name: String, _ range: ClosedRange<Int>) throws(ServerError) -> Int? {
        guard let text = values[name] else { return nil }
        guard let value = Int(text), range.contains(value) else {
            throw .badRequest(
                "\(name) must be an integer from \(range.lowerBound) to \(range.upperBound) (got \(Quoted(text)))"
            )
        }
        return value
    }

    func flag(_ name: String) throws(ServerError) -> Bool {
        switch values[name]?.lowercased() {
        case nil, "false", "0": return false
        case "true", "1": return true
        case let other?: throw .badRequest("\(name) must be true or false (got \(Quoted(other)))")
        }
    }
}
