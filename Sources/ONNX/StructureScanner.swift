internal import Remedies

/// Walks the fields of a model for `ModelStructure`.
struct StructureScanner {
    /// What a graph or a function contains, including nested graphs and excluding the functions it calls.
    struct Tally {
        var nodes = 0
        var work = 0
        /// Calls by function: their number, and the work that one node of the function causes.
        var calls: [Int: (count: Int, weight: Int)] = [:]
    }

    let limits: ModelStructure.Limits
    private(set) var functionNames: [String] = []
    private(set) var externalFiles: Set<String> = []
    /// Functions by domain, name and overload. Names should be unique, but each duplicate counts.
    private var functions: [String: [Int]] = [:]

    init(limits: ModelStructure.Limits) { self.limits = limits }

    static func tooMuch(_ limits: ModelStructure.Limits) -> ModelFileError {
        ModelFileError(
            .unsupported,
            "it has more than \(limits.work) nodes, each counted twice for every graph that it is nested in",
            remedy: "Export the model with less control flow, or split it.")
    }

    // MARK: Functions

    private static func key(_ domain: String, _ name: String, _ overload: String) -> String {
        "\(ONNXModel.canonical(domain)):\(name):\(overload)"
    }

    mutating func declare(_ functions: [Bytes]) throws(ModelFileError) {
        for (index, bytes) in functions.enumerated() {
            var (domain, name, overload) = ("", "", "")
            var reader = ProtobufReader(bytes)
            while let field = try reader.next() {
                switch field.number {
                case 1: name = try field.text()
                case 10: domain = try field.text()
                case 13: overload = try field.text()
                default: break
                }
            }
            functionNames.append(domain.isEmpty ? name : "\(domain).\(name)")
            self.functions[StructureScanner.key(domain, name, overload), default: []].append(index)
        }
    }

    mutating func tally(function bytes: Bytes) throws(ModelFileError) -> Tally {
        var tally = Tally()
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 7: try scan(node: field.bytes(), depth: 0, into: &tally)
            case 11:
                guard try !scan(attribute: field.bytes(), depth: 0, into: &tally) else {
                    throw StructureScanner.graphArgument
                }
            case 12: try scan(value: field.bytes(), isNamed: false)
            default: break
            }
        }
        return tally
    }

    /// A referenced attribute is inserted wherever the function uses it, as often as it does.
    private static var graphArgument: ModelFileError {
        ModelFileError(
            .unsupported, "it has a function with a graph as an attribute",
            remedy: "Export the model with its functions inlined.")
    }

    // MARK: Graphs

    mutating func scan(graph bytes: Bytes, depth: Int, into tally: inout Tally) throws(ModelFileError) {
        guard depth <= limits.graphDepth else {
            throw ModelFileError(
                .unsupported, "its graphs are nested deeper than \(limits.graphDepth)",
                remedy: "Export the model with less control flow.")
        }
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: try scan(node: field.bytes(), depth: depth, into: &tally)
            case 5: try scan(tensor: field.bytes())
            case 11, 12: try scan(value: field.bytes(), isNamed: true)
            case 13: try scan(value: field.bytes(), isNamed: false)
            case 15: try scan(sparse: field.bytes())
            default: break
            }
        }
    }

    private mutating func scan(node bytes: Bytes, depth: Int, into tally: inout Tally) throws(ModelFileError) {
        let weight = 1 << depth
        tally.nodes += 1
        tally.work = tally.work.adding(weight)
        guard tally.work <= limits.work else { throw StructureScanner.tooMuch(limits) }
        var (domain, operation, overload) = ("", "", "")
        var hasGraph = false
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 4 where !functions.isEmpty: operation = try field.text()
            case 5: if try scan(attribute: field.bytes(), depth: depth, into: &tally) { hasGraph = true }
            case 7 where !functions.isEmpty: domain = try field.text()
            case 8 where !functions.isEmpty: overload = try field.text()
            default: break
            }
        }
        guard !functions.isEmpty,
            let called = functions[StructureScanner.key(domain, operation, overload)]
        else { return }
        guard !hasGraph else { throw StructureScanner.graphArgument }
        for function in called {
            let calls = tally.calls[function] ?? (0, 0)
            tally.calls[function] = (calls.count + 1, calls.weight.adding(weight))
        }
    }

    /// Returns whether the attribute has a graph.
    private mutating func scan(
        attribute bytes: Bytes, depth: Int, into tally: inout Tally
    ) throws(ModelFileError) -> Bool {
        var hasGraph = false
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 5, 10: try scan(tensor: field.bytes())
            case 6, 11:
                hasGraph = true
                try scan(graph: field.bytes(), depth: depth + 1, into: &tally)
            case 22, 23: try scan(sparse: field.bytes())
            case 14, 15: try scan(type: field.bytes(), depth: 0, name: "")
            default: break
            }
        }
        return hasGraph
    }

    // MARK: Values

    private func scan(value bytes: Bytes, isNamed: Bool) throws(ModelFileError) {
        var name = ""
        var types: [Bytes] = []
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: name = try field.text()
            case 2: types.append(try field.bytes())
            default: break
            }
        }
        guard !isNamed || name.utf8.count <= limits.nameBytes else {
            throw ModelFileError(
                .unsupported, "the name \(name) has \(name.utf8.count) bytes; the limit is \(limits.nameBytes)",
                remedy: "Export the model with shorter names.")
        }
        for type in types { try scan(type: type, depth: 0, name: name) }
    }

    private func scan(type bytes: Bytes, depth: Int, name: String) throws(ModelFileError) {
        guard depth <= 16 else { throw .malformed("the type of \(name) is nested deeper than 16") }
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1, 8: try scan(shapeOf: field.bytes(), name: name)
            case 4, 5, 9:
                var inner = ProtobufReader(try field.bytes())
                while let part = try inner.next() {
                    // The element of a sequence or an optional, or the value of a map.
                    if part.number == (field.number == 5 ? 2 : 1) {
                        try scan(type: part.bytes(), depth: depth + 1, name: name)
                    }
                }
            default: break
            }
        }
    }

    /// A tensor's type: the element type, and a shape with one message per dimension.
    private func scan(shapeOf bytes: Bytes, name: String) throws(ModelFileError) {
        var reader = ProtobufReader(bytes)
        var rank = 0
        while let field = try reader.next() {
            guard field.number == 2 else { continue }
            var shape = ProtobufReader(try field.bytes())
            while let dimension = try shape.next() {
                if dimension.number == 1 { rank += 1 }
            }
        }
        try check(rank: rank, of: name)
    }

    func check(rank: Int, of name: String) throws(ModelFileError) {
        guard rank <= limits.rank else {
            throw ModelFileError(
                .unsupported, "the shape of \(name) has \(rank) dimensions; the limit is \(limits.rank)",
                remedy: "Export the model again.")
        }
    }

    mutating func add(externalFile location: String) { externalFiles.insert(location) }
}
