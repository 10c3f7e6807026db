internal import CModelTools

/// The input and output types of an operator as of an opset.
struct OperatorSchema: Sendable {
    struct Place: Sendable {
        /// The type that this place shares with others.
        var type: Int
        var repeats = false
        /// Whether repeated values may differ in type.
        var isMixed = false
    }

    var since: Int
    var isRemoved: Bool
    var inputs: [Place]
    var outputs: [Place]
    var types: [KindSet]

    func input(_ index: Int) -> Place? { OperatorSchema.place(index, inputs) }
    func output(_ index: Int) -> Place? { OperatorSchema.place(index, outputs) }

    private static func place(_ index: Int, _ places: [Place]) -> Place? {
        if index < places.count { return places[index] }
        return places.last.flatMap { $0.repeats ? $0 : nil }
    }
}

/// ONNX's operators (`onnx.defs`) at every opset, and those of ONNX Runtime's own domain.
struct OperatorTable: Sendable {
    static let shared = OperatorTable()

    private let schemas: [String: [OperatorSchema]]
    /// The newest opset in the table.
    let newest: Int

    private init() {
        let bytes = UnsafeRawBufferPointer(start: apus_operators_bytes(), count: apus_operators_size())
        var schemas: [String: [OperatorSchema]] = [:]
        var newest = 0
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard fields.count == 6, let since = Int(fields[2].filter(\.isNumber)) else { continue }
            let types = fields[5].split(separator: ";").compactMap { KindSet($0) }
            schemas["\(fields[0]):\(fields[1])", default: []].append(
                OperatorSchema(
                    since: since, isRemoved: fields[2].hasSuffix("!"), inputs: OperatorTable.places(fields[3]),
                    outputs: OperatorTable.places(fields[4]), types: types))
            if fields[0] == "ai.onnx" { newest = max(newest, since) }
        }
        self.schemas = schemas
        self.newest = newest
    }

    private static func places(_ text: Substring) -> [OperatorSchema.Place] {
        text.split(separator: ",").compactMap { part in
            guard let type = Int(part.filter(\.isNumber)) else { return nil }
            return OperatorSchema.Place(
                type: type, repeats: part.hasSuffix("*") || part.hasSuffix("+"), isMixed: part.hasSuffix("+"))
        }
    }

    /// Nil if the operator is not in the table, or not yet at that opset.
    func schema(_ operation: String, domain: String, opset: Int) -> OperatorSchema? {
        let domain = domain.isEmpty ? "ai.onnx" : domain
        return schemas["\(domain):\(operation)"]?.last { $0.since <= opset }
    }
}
