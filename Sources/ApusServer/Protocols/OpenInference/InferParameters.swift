internal import Remedies

/// The supported request parameters. Any other is an error: ignoring one, such as an output in shared memory, would return
/// something the client did not request.
enum InferParameters {
    enum Place {
        case request
        case input(String)
        case output(String)
        /// Of a load request.
        case load
        case unload

        fileprivate var known: Set<String> {
            switch self {
            case .request: ["binary_data_output", "threshold", "limit"]
            case .input: ["binary_data_size"]
            case .output: ["binary_data"]
            case .load: []
            // A model has no dependents, so either value means the same.
            case .unload: ["unload_dependents"]
            }
        }

        fileprivate var text: String {
            switch self {
            case .request: "the request"
            case .input(let name): "the input \(Quoted(name))"
            case .output(let name): "the output \(Quoted(name))"
            case .load, .unload: "the request"
            }
        }
    }

    static func check(_ names: some Sequence<String>, _ place: Place) throws(ServerError) {
        guard let unknown = names.filter({ !place.known.contains($0) }).min() else { return }
        let feature =
            if unknown.hasPrefix("shared_memory") {
                "Shared memory is not supported"
            } else if unknown == "classification" {
                "Classification (class_count) is not supported"
            } else {
                "The parameter \(Quoted(unknown)) of \(place.text) is not supported"
            }
        let known = place.known.sorted().joined(separator: ", ")
        throw .badRequest(feature, remedy: known.isEmpty ? "Leave it out." : "Supported here: \(known).")
    }

    // MARK: Values

    static let invalidThreshold = ServerError.badRequest("The parameter threshold must be a number from 0 to 1")
    static let invalidLimit = ServerError.badRequest("The parameter limit must be an integer from 1 to 1000")

    static func threshold(_ number: Double) throws(ServerError) -> Float {
        guard (0...1).contains(number) else { throw invalidThreshold }
        return Float(number)
    }

    static func limit(_ number: Int) throws(ServerError) -> Int {
        guard (1...1000).contains(number) else { throw invalidLimit }
        return number
    }
}
