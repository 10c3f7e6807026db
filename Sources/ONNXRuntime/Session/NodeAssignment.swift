internal import COnnxRuntime

/// The model's nodes that one execution provider took, as ONNX Runtime recorded them.
package struct NodeAssignment: Sendable, Equatable {
    package var provider: String
    /// The number of nodes of each operator.
    package var operators: [String: Int]
    package var nodes: Int { operators.values.reduce(0, +) }

    package init(provider: String, operators: [String: Int]) {
        self.provider = provider
        self.operators = operators
    }
}

extension API {
    /// Nil if the runtime is too old to report it (before 1.24).
    func nodeAssignments(_ session: OpaquePointer) throws(Failure) -> [NodeAssignment]? {
        guard version >= API.nodeAssignmentVersion else { return nil }
        var subgraphs: UnsafePointer<OpaquePointer?>?
        var subgraphCount = 0
        try check(OrtSession_GetEpGraphAssignmentInfo(table, session, &subgraphs, &subgraphCount))
        var operators: [String: [String: Int]] = [:]
        for index in 0..<subgraphCount {
            guard let subgraph = subgraphs?[index] else { continue }
            var provider: UnsafePointer<CChar>?
            try check(OrtEpAssignedSubgraph_GetEpName(table, subgraph, &provider))
            var nodes: UnsafePointer<OpaquePointer?>?
            var nodeCount = 0
            try check(OrtEpAssignedSubgraph_GetNodes(table, subgraph, &nodes, &nodeCount))
            for index in 0..<nodeCount {
                guard let node = nodes?[index] else { continue }
                var type: UnsafePointer<CChar>?
                try check(OrtEpAssignedNode_GetOperatorType(table, node, &type))
                let key = provider.map { String(cString: $0) } ?? ""
                operators[key, default: [:]][type.map { String(cString: $0) } ?? "", default: 0] += 1
            }
        }
        return operators.map { NodeAssignment(provider: $0, operators: $1) }.sorted { $0.provider < $1.provider }
    }
}
