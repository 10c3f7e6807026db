/// An ONNX model, as `onnx.proto` of the ONNX project defines it.
///
/// Fields that Apus doesn't use are kept as read (`unknown`). Doc strings of attributes and denotations of types, which don't
/// affect results, are dropped.
package struct ONNXModel: Sendable {
    package var irVersion = 8
    package var opsets: [(domain: String, version: Int)] = []
    package var producerName = ""
    package var producerVersion = ""
    package var graph = Graph()
    package var metadata: [(key: String, value: String)] = []
    /// A metadata entry whose value is requested when the model's end is written; its length is known before.
    package struct LateEntry: Sendable {
        package var key: String
        package var byteCount: Int
        package var value: @Sendable () -> [UInt8]

        package init(key: String, byteCount: Int, value: @escaping @Sendable () -> [UInt8]) {
            self.key = key
            self.byteCount = byteCount
            self.value = value
        }
    }

    package var lateMetadata: [LateEntry] = []
    package var functions: [Function] = []
    var unknown: [UInt8] = []

    package init() {}

    /// The operator set version of `domain`; nil if the model doesn't import it.
    package func opset(_ domain: String) -> Int? {
        opsets.first { ONNXModel.canonical($0.domain) == ONNXModel.canonical(domain) }?.version
    }

    /// The standard domain has two names.
    package static func canonical(_ domain: String) -> String { domain == "ai.onnx" ? "" : domain }
}

package struct Graph: Sendable {
    package var name = ""
    package var nodes: [Node] = []
    package var initializers: [ONNXTensor] = []
    package var sparseInitializers: [SparseTensor] = []
    package var inputs: [ValueDeclaration] = []
    package var outputs: [ValueDeclaration] = []
    package var values: [ValueDeclaration] = []
    var unknown: [UInt8] = []

    package init() {}
}

package struct Node: Sendable {
    package var name = ""
    package var operation = ""
    package var domain = ""
    /// Names of values; an empty one is an omitted input.
    package var inputs: [String] = []
    package var outputs: [String] = []
    package var attributes: [Attribute] = []
    package var overload = ""
    var unknown: [UInt8] = []

    package init(
        _ operation: String, inputs: [String], outputs: [String], attributes: [Attribute] = [], name: String = ""
    ) {
        self.operation = operation
        self.inputs = inputs
        self.outputs = outputs
        self.attributes = attributes
        self.name = name
    }

    init() {}

    package func attribute(_ name: String) -> Attribute? { attributes.first { $0.name == name } }

    /// Whether it is one of ONNX's own operators.
    package var isStandard: Bool { domain.isEmpty || domain == "ai.onnx" }

    package func integer(_ name: String) -> Int? {
        if case .int(let value)? = attribute(name)?.value { Int(value) } else { nil }
    }

    /// The node's name in reports: its name, else the name of its first output.
    package var title: String {
        let what = isStandard ? operation : "\(domain).\(operation)"
        return "\(what) \(name.isEmpty ? outputs.first { !$0.isEmpty } ?? "" : name)"
    }

    /// Changes the graphs in its attributes.
    package mutating func mapSubgraphs<Failure: Error>(_ change: (inout Graph) throws(Failure) -> Void) throws(Failure)
    {
        for index in attributes.indices {
            switch attributes[index].value {
            case .graph(var graph):
                try change(&graph)
                attributes[index].value = .graph(graph)
            case .graphs(var graphs):
                for part in graphs.indices { try change(&graphs[part]) }
                attributes[index].value = .graphs(graphs)
            default: break
            }
        }
    }

    /// The graphs in its attributes, as in If, Loop and Scan.
    package var subgraphs: [Graph] {
        attributes.flatMap { attribute -> [Graph] in
            switch attribute.value {
            case .graph(let graph): [graph]
            case .graphs(let graphs): graphs
            default: []
            }
        }
    }
}

package struct Attribute: Sendable {
    package indirect enum Value: Sendable {
        case float(Float)
        case int(Int64)
        case string(Bytes)
        case tensor(ONNXTensor)
        case graph(Graph)
        case floats([Float])
        case ints([Int64])
        case strings([Bytes])
        case tensors([ONNXTensor])
        case graphs([Graph])
        case sparseTensor(SparseTensor)
        case type(ValueType?)
        /// An attribute of the function that contains the node.
        case reference(String, type: Int)
        /// Kept as read.
        case other([UInt8], type: Int)
    }

    package var name: String
    package var value: Value

    package init(_ name: String, _ value: Value) {
        self.name = name
        self.value = value
    }

    package static func int(_ name: String, _ value: Int) -> Attribute { Attribute(name, .int(Int64(value))) }
    package static func ints(_ name: String, _ values: [Int]) -> Attribute {
        Attribute(name, .ints(values.map(Int64.init)))
    }
}

/// An input, an output or a value between nodes, with its type.
package struct ValueDeclaration: Sendable {
    package var name: String
    /// Nil if the model doesn't state it.
    package var type: ValueType?
    var unknown: [UInt8] = []

    package init(name: String, type: ValueType?) {
        self.name = name
        self.type = type
    }
}

package indirect enum ValueType: Sendable, Equatable {
    /// The shape is nil if even the number of dimensions is open.
    case tensor(DataType, [Dimension]?)
    case sparseTensor(DataType, [Dimension]?)
    case sequence(ValueType)
    case optional(ValueType)
    /// Maps and any other types, kept as read.
    case other([UInt8])

    package enum Dimension: Sendable, Equatable {
        case fixed(Int)
        case named(String)
        case unknown
    }
}

/// ONNX's `TensorProto.DataType`.
package enum DataType: Int, Sendable, CaseIterable {
    case float32 = 1, uint8, int8, uint16, int16, int32, int64, string, bool, float16, float64, uint32, uint64
    case complex64, complex128, bfloat16, float8e4m3fn, float8e4m3fnuz, float8e5m2, float8e5m2fnuz, uint4, int4
    case float4e2m1, float8e8m0, uint2, int2

    /// Bits per element; nil for text, which has no fixed size.
    package var bits: Int? {
        switch self {
        case .string: nil
        case .uint2, .int2: 2
        case .uint4, .int4, .float4e2m1: 4
        case .uint8, .int8, .bool, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float8e8m0: 8
        case .uint16, .int16, .float16, .bfloat16: 16
        case .float32, .int32, .uint32: 32
        case .int64, .uint64, .float64, .complex64: 64
        case .complex128: 128
        }
    }

    package var name: String {
        switch self {
        case .float32: "f32"
        case .float16: "f16"
        case .float64: "f64"
        case .bfloat16: "bf16"
        case .uint8, .uint16, .uint32, .uint64, .uint4, .uint2: "u\(bits ?? 0)"
        case .int8, .int16, .int32, .int64, .int4, .int2: "i\(bits ?? 0)"
        default: "\(self)"
        }
    }

    /// Bytes of `count` elements; nil for text, or if the number overflows.
    package func byteCount(_ count: Int) -> Int? {
        guard let bits else { return nil }
        let (product, overflow) = count.multipliedReportingOverflow(by: bits)
        return overflow ? nil : (product + 7) / 8
    }
}

package struct SparseTensor: Sendable {
    package var values: ONNXTensor
    package var indices: ONNXTensor
    var dimensions: [Int64]
}

/// A function defined by the model.
package struct Function: Sendable {
    package var name = ""
    package var domain = ""
    package var inputs: [String] = []
    package var outputs: [String] = []
    /// Attributes without a default.
    package var attributeNames: [String] = []
    package var attributeDefaults: [Attribute] = []
    package var nodes: [Node] = []
    package var opsets: [(domain: String, version: Int)] = []
    package var overload = ""
    var unknown: [UInt8] = []

    package init() {}
}
