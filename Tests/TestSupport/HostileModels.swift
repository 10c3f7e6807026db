/// The models in Tests/Fixtures/hostile, with a substring of each one's expected error.
package enum HostileModels {
    package static let all: [(name: String, cause: String)] = [
        ("function-calls-itself", "its function f.A calls itself"),
        ("functions-call-each-other", "its function f.A calls itself through f.B"),
        ("function-calls-itself-in-a-graph", "its function f.A calls itself"),
        ("function-named-as-an-operator-calls-itself", "its function Relu calls itself"),
        ("functions-double-forty-times", "when inlined, have more than 50000 nodes"),
        ("graphs-thirty-deep", "it has more than 1048576 nodes"),
        ("graph-attribute-calls-its-function", "a function with a graph as an attribute"),
        ("negative-shape", "the tensor w has the negative shape [-1, -4]"),
        ("huge-shape", "[1099511627776, 1099511627776] exceeds the limit of 1099511627776 bytes"),
        ("weights-in-the-model-itself", "which is the model itself"),
        ("weights-at-an-address", "which is not a file name"),
    ]

    package static let names = all.map(\.name)

    package static func path(_ name: String) -> String { Fixtures.path("hostile/\(name).onnx") }

    package static func cause(_ name: String) -> String { all.first { $0.name == name }?.cause ?? "" }
}
