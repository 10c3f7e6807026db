internal import Foundation
internal import HTTPTypes
internal import Hummingbird

/// A request's query, read strictly: a name that is not known is an error, as a mistyped one would do nothing in silence.
struct QueryReader {
    private let values: [String: String]

    init(_ request: Request, known: Set<String>) throws(ServerError) {
        var values: [String: String] = [:]
        for (name, value) in request.uri.queryParameters {
            // Hummingbird decodes the values only.
            let name = name.removingPercentEncoding ?? String(name)
            guard known.contains(name) else {
                throw .badRequest(
                    "The query parameter \(Quoted(name)) is not known",
                    remedy: "There are \(known.sorted().joined(separator: ", ")).")
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
                "\(name) is \(Quoted(text)), which is no whole number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return value
    }

    func flag(_ name: String) throws(ServerError) -> Bool {
        switch values[name]?.lowercased() {
        case nil, "false", "0": return false
        case "true", "1": return true
        case let other?: throw .badRequest("\(name) is \(Quoted(other)), which is neither true nor false")
        }
    }
}

enum RequestValues {
    /// A number from 0 to 1.
    static func fraction(_ text: String, _ name: String) throws(ServerError) -> Float {
        // As a float, what is hardly above 1 would be 1.
        guard let value = Double(text), (0...1).contains(value) else {
            throw .badRequest("\(name) is \(Quoted(text)), which is no number from 0 to 1")
        }
        return Float(value)
    }
}

/// The media type that a client would rather have; q-values count, and of equals the first that is offered.
enum Accept {
    static func best(_ header: String?, of offered: [String]) -> String? {
        guard let header, !header.isEmpty else { return offered.first }
        var wanted: [(range: String, quality: Double)] = []
        for part in header.split(separator: ",") {
            let fields = part.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
            guard let range = fields.first else { continue }
            let quality = fields.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            wanted.append((range.lowercased(), quality))
        }
        func quality(_ type: String) -> Double {
            let family = type.prefix { $0 != "/" } + "/*"
            // The most specific range counts.
            for range in [type, String(family), "*/*"] {
                if let match = wanted.first(where: { $0.range == range }) { return match.quality }
            }
            return 0
        }
        let best = offered.map { ($0, quality($0)) }.max { $0.1 < $1.1 }
        guard let best, best.1 > 0 else { return nil }
        // `max` gives the last of equals.
        return offered.first { quality($0) == best.1 }
    }
}
