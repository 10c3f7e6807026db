internal import Remedies

/// The size of a model after its functions are inlined. Nothing here recurses: there may be a hundred thousand functions, each
/// calling the next.
struct FunctionExpansion {
    private struct Total {
        /// Nodes.
        var nodes: Int
        var work: Int
        /// Nesting depth of functions, including itself.
        var depth: Int
    }

    private let names: [String]
    private let limits: ModelStructure.Limits
    private let totals: [Total]

    /// - Throws: if a function calls itself, directly or through others.
    init(
        _ bodies: [StructureScanner.Tally], names: [String], limits: ModelStructure.Limits
    ) throws(ModelFileError) {
        self.names = names
        self.limits = limits
        var totals = [Total?](repeating: nil, count: bodies.count)
        var callers = [[Int]](repeating: [], count: bodies.count)
        var pending = bodies.map(\.calls.count)
        for (caller, body) in bodies.enumerated() {
            for callee in body.calls.keys { callers[callee].append(caller) }
        }
        var ready = bodies.indices.filter { pending[$0] == 0 }
        while let function = ready.popLast() {
            totals[function] = FunctionExpansion.total(bodies[function], totals)
            for caller in callers[function] {
                pending[caller] -= 1
                if pending[caller] == 0 { ready.append(caller) }
            }
        }
        if let open = totals.firstIndex(where: { $0 == nil }) {
            throw FunctionExpansion.recursion(from: open, bodies, names) { totals[$0] == nil }
        }
        self.totals = totals.compactMap { $0 }
    }

    private static func total(_ body: StructureScanner.Tally, _ totals: [Total?]) -> Total {
        var total = Total(nodes: body.nodes, work: body.work, depth: 0)
        for (callee, calls) in body.calls {
            guard let inner = totals[callee] else { continue }
            total.nodes = total.nodes.adding(calls.count.times(inner.nodes))
            total.work = total.work.adding(calls.weight.times(inner.work))
            total.depth = max(total.depth, inner.depth + 1)
        }
        return total
    }

    /// The error for functions that call each other in a cycle, found by following calls to unfinished ones.
    private static func recursion(
        from start: Int, _ bodies: [StructureScanner.Tally], _ names: [String], isOpen: (Int) -> Bool
    ) -> ModelFileError {
        var seen: [Int: Int] = [:]
        var path: [Int] = []
        var current = start
        while seen.updateValue(path.count, forKey: current) == nil {
            path.append(current)
            guard let next = bodies[current].calls.keys.filter(isOpen).min() else { break }
            current = next
        }
        let circle = path.drop { $0 != current }.dropFirst().prefix(8).map { BoundedText.shortened(names[$0]) }
        let through: BoundedText = circle.isEmpty ? "" : " through \(circle.joined(separator: ", "))"
        return ModelFileError(
            .malformed, "its function \(names[current]) calls itself\(through)",
            remedy: "Export the model without recursive functions: use Loop or Scan.")
    }

    /// - Throws: if the model, with `main` as its graph, is larger than the limits.
    func check(_ main: StructureScanner.Tally) throws(ModelFileError) {
        let total = FunctionExpansion.total(main, totals)
        if let deep = totals.indices.first(where: { totals[$0].depth >= limits.functionDepth }) {
            throw ModelFileError(
                .unsupported, "its function \(names[deep]) is nested more than \(limits.functionDepth) functions deep",
                remedy: "Export the model with its functions inlined.")
        }
        // Counted without the graph's own nodes, whose number the file's size bounds.
        guard total.nodes - main.nodes <= limits.expandedNodes else {
            throw ModelFileError(
                .unsupported, "its functions, when inlined, have more than \(limits.expandedNodes) nodes",
                remedy: "Export the model with its functions inlined.")
        }
        guard total.work <= limits.work else { throw StructureScanner.tooMuch(limits) }
    }
}

extension Int {
    /// Saturating addition and multiplication of counts.
    func adding(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    func times(_ other: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}
