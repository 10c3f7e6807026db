internal import Foundation

/// The media type that a client prefers, by q-value; the first one offered wins a tie.
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
            // The most specific range wins.
            for range in [type, String(family), "*/*"] {
                if let match = wanted.first(where: { $0.range == range }) { return match.quality }
            }
            return 0
        }
        let best = offered.map { ($0, quality($0)) }.max { $0.1 < $1.1 }
        guard let best, best.1 > 0 else { return nil }
        // `max` returns the last of equal elements.
        return offered.first { quality($0) == best.1 }
    }
}
