enum RequestValues {
    /// A number from 0 to 1.
    static func fraction(_ text: String, _ name: String) throws(ServerError) -> Float {
        // As a float, a number barely above 1 would round to 1.
        guard let value = Double(text), (0...1).contains(value) else {
            throw .badRequest("\(name) must be a number from 0 to 1 (got \(Quoted(text)))")
        }
        return Float(value)
    }
}
