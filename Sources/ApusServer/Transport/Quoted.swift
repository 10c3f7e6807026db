/// Client input that is safe in a message: at most 100 characters, control characters escaped.
package struct Quoted: CustomStringConvertible {
    private static let limit = 100

    package let description: String

    package init(_ text: some StringProtocol) {
        var shown = ""
        var count = 0
        for scalar in text.unicodeScalars {
            guard count < Quoted.limit else {
                shown += "…"
                break
            }
            let isControl =
                scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format
            shown += isControl ? scalar.escaped(asASCII: true) : String(scalar)
            count += 1
        }
        description = shown
    }

    /// A list, truncated to the first few.
    package init(_ shape: [Int]) {
        let shown = shape.prefix(8).map(String.init).joined(separator: ", ")
        description = "[\(shown)\(shape.count > 8 ? ", … (\(shape.count) dimensions)" : "")]"
    }
}
