internal import Remedies

/// The properties that a runtime relies on, checked before it gets the model, without building the model or touching its weights.
///
/// ONNX Runtime 1.24 overflows its stack on functions that call themselves, doubles its work with each nested graph, and inlines
/// every function at each call. A file of a hundred bytes can thus crash the process or keep it busy for days. Everything is
/// counted before it is expanded, and every occurrence of a field counts, however often it is repeated, so the count holds for
/// any parser.
package struct ModelStructure: Sendable {
    /// The limits of a model.
    package struct Limits: Sendable {
        /// Nested graphs. Protocol Buffers allow about as many.
        package var graphDepth = 32
        /// Nested function calls.
        package var functionDepth = 64
        /// Nodes of functions, counted once per call.
        package var expandedNodes = 50_000
        /// Nodes, each counted twice as often per nesting level, as shapes are inferred again.
        package var work = 1 << 20
        /// Dimensions of a tensor.
        package var rank = 64
        /// Bytes of a tensor.
        package var tensorBytes = 1 << 40
        /// Bytes of a sparse tensor when expanded.
        package var denseBytes = 1 << 31
        /// Bytes of an input's or output's name.
        package var nameBytes = 4096

        package init() {}
    }

    /// The model's weights files, as it names them, in order.
    package let externalFiles: [String]

    /// Checks a model.
    ///
    /// - Throws: an error that states the part of the model, the limit, and a remedy.
    package init(_ bytes: Bytes, limits: Limits = Limits()) throws(ModelFileError) {
        if bytes.count >= 8, bytes.slice(4..<8).array.elementsEqual("ORTM".utf8) {
            throw ModelFileError(
                .unsupported, "it is in ONNX Runtime's own format, ORT",
                remedy: "Use the .onnx file that it was made from.")
        }
        let (graphs, functions) = try ModelStructure.parts(bytes)
        var scanner = StructureScanner(limits: limits)
        try scanner.declare(functions)
        var bodies: [StructureScanner.Tally] = []
        for function in functions { bodies.append(try scanner.tally(function: function)) }
        var main = StructureScanner.Tally()
        for graph in graphs { try scanner.scan(graph: graph, depth: 0, into: &main) }
        try FunctionExpansion(bodies, names: scanner.functionNames, limits: limits).check(main)
        externalFiles = scanner.externalFiles.sorted()
    }

    /// The graphs, of which there should be exactly one, and the functions.
    private static func parts(_ bytes: Bytes) throws(ModelFileError) -> (graphs: [Bytes], functions: [Bytes]) {
        func notAModel(_ cause: String) -> ModelFileError {
            ModelFileError(
                .malformed, "it is not an ONNX model, or it is incomplete: \(cause)",
                remedy: "Use an .onnx file. If it should be one, its download or copy may be incomplete.")
        }
        var graphs: [Bytes] = []
        var functions: [Bytes] = []
        var reader = ProtobufReader(bytes)
        do {
            while let field = try reader.next() {
                switch field.number {
                case 7: graphs.append(try field.bytes())
                case 25: functions.append(try field.bytes())
                default: break
                }
            }
        } catch {
            throw notAModel(error.cause)
        }
        guard !graphs.isEmpty else { throw notAModel("it has no graph") }
        return (graphs, functions)
    }

    /// Checks a model's file, and that its weights files are in its folder and readable.
    package static func check(file path: String) throws(ModelFileError) {
        try ModelStructure(Bytes(mapping: path)).check(ExternalFolder(ofModel: path))
    }

    /// Checks that a model's weights files exist; a model in memory without a folder must not have any.
    package func check(_ folder: ExternalFolder?) throws(ModelFileError) {
        for location in externalFiles {
            guard let folder else {
                throw ModelFileError(
                    .forbidden, "its weights are in a second file, \(location), but the model itself is not in a file",
                    remedy: "Use the model's file, or export it as a single file.")
            }
            _ = try folder.path(of: location)
        }
    }
}
