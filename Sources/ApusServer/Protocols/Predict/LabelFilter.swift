internal import Apus
internal import Foundation

/// Classes by name or number, such as "person,dog" or "1,18".
struct LabelFilter: Sendable {
    private let words: Set<String>

    init(_ text: String) {
        words = Set(text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces).lowercased() })
    }

    func admits(_ detection: Detection) -> Bool {
        words.contains("\(detection.label)") || detection.category.map { words.contains($0.lowercased()) } ?? false
    }
}
