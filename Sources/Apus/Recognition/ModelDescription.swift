package import Engine
internal import HuggingFaceConfig
package import ONNX
internal import Remedies

/// A model's inputs and outputs.
package struct ModelSignature: Sendable {
    package var inputs: [ValueInfo]
    package var outputs: [ValueInfo]
    package var metadata: [String: String]

    package init(inputs: [ValueInfo], outputs: [ValueInfo], metadata: [String: String]) {
        self.inputs = inputs
        self.outputs = outputs
        self.metadata = metadata
    }
}

/// Everything that determines a model's family, read from its file and the files next to it; no runtime is needed.
package struct ModelDescription: Sendable {
    /// The model's name in errors.
    package var title: String
    package var inputs: [ValueInfo]
    package var outputs: [ValueInfo]
    package var metadata: ModelMetadata
    /// The operators of the graph, functions and subgraphs included.
    package var operators: Set<String>
    /// Outputs that are already scores, with the operator that produces them: `Softmax`, `LogSoftmax` or `Sigmoid`.
    package var scoredOutputs: [String: String]
    /// Outputs that are a sigmoid of more than one linear layer: of a layer's output plus a reference point per query, say.
    package var offsetOutputs: Set<String> = []
    /// Hugging Face's files next to the model, if there are any.
    package var companions: Companions

    /// Whether an output's last dimension isn't in the file, so that only a runtime can infer it.
    var hasOpenOutputs: Bool { outputs.contains { $0.dimensions.last?.size == nil } }

    /// Drops what lies next to the file if it belongs to another family than the one determined otherwise.
    func keepingCompanions(of types: [String]) -> ModelDescription {
        guard let type = companions.modelType, !types.contains(type) else { return self }
        var other = self
        other.companions = Companions()
        return other
    }

    /// What `config.json` and `preprocessor_config.json` declare.
    package struct Companions: Sendable {
        package var modelType: String?
        package var labels: [Int: String]?
        package var resize: ModelMetadata.Resize?
        package var normalization: ModelMetadata.Normalization?
        /// The files that were read.
        package var paths: [String] = []
        /// Files called `config.json` that don't belong to a model, and why: many programs have one.
        package var ignored: [String] = []

        package init() {}
    }

    /// - Throws: `ApusError` with code `model` if a value in the metadata is invalid.
    package init(
        _ signature: ModelSignature, operators: Set<String> = [], scoredOutputs: [String: String] = [:],
        companions: Companions = Companions(), name: String? = nil
    ) throws(ApusError) {
        title = name.map { "the model \($0)" } ?? "the model"
        inputs = signature.inputs
        outputs = signature.outputs
        self.operators = operators
        self.scoredOutputs = scoredOutputs
        self.companions = companions
        do {
            metadata = try ModelMetadata(signature.metadata)
        } catch {
            throw ApusError(
                .model, doing: "read \(title)'s metadata \(error.key)", cause: error.cause,
                remedy: "Export the model again, or remove this entry from its metadata.")
        }
    }

    package init(
        _ model: ONNXModel, companions: Companions = Companions(), name: String? = nil
    ) throws(ApusError) {
        var operators: Set<String> = []
        func collect(_ nodes: [Node]) {
            for node in nodes {
                operators.insert(node.operation)
                for graph in node.subgraphs { collect(graph.nodes) }
            }
        }
        collect(model.graph.nodes)
        for function in model.functions { collect(function.nodes) }
        let tail = GraphTail(model.graph)
        try self.init(
            ModelSignature(model), operators: operators,
            scoredOutputs: tail.scoredOutputs, companions: companions, name: name)
        offsetOutputs = tail.offsetOutputs
    }

    /// - Parameter path: the path of the model's file, to find the files next to it or in the folder above; nil for none.
    package init(_ model: ONNXModel, at path: String?, name: String? = nil) throws(ApusError) {
        var companions = Companions()
        if let path {
            do {
                companions = try Companions(nextTo: path)
            } catch {
                throw ApusError(
                    .model, doing: "load the model \(path)", cause: "\(error.path): \(error.cause)",
                    remedy: Remedy(error.remedy))
            }
        }
        try self.init(model, companions: companions, name: name)
    }

    /// Reads a model's file, and Hugging Face's files next to it or in the folder above.
    package init(_ model: Model) throws(ApusError) {
        let content: ONNXModel
        do {
            content =
                switch model.source {
                case .file(let path): try ONNXFile.structure(of: path)
                case .bytes(let bytes): try ONNXFile.structure(of: Bytes(bytes))
                case .embedded(_, let bytes): try ONNXModel(Bytes(permanent: bytes()))
                }
        } catch {
            throw ApusError(error, doing: "load the model \(model.name)")
        }
        let path: String? = if case .file(let path) = model { path } else { nil }
        try self.init(content, at: path, name: model.name)
    }
}

extension ModelDescription.Companions {
    /// Where `init(nextTo:)` searches.
    static func candidates(nextTo path: String) -> [String] {
        ConfigFolders.besideOrAbove(path).flatMap { [ModelConfig.path(in: $0), PreprocessorConfig.path(in: $0)] }
    }

    /// The files in the first folder whose `config.json` declares a model type: the model's own, or the one above. Other files of
    /// these names belong to other programs.
    init(nextTo path: String) throws(ConfigError) {
        for folder in ConfigFolders.besideOrAbove(path) {
            let config: ModelConfig
            do {
                guard let found = try ModelConfig(in: [folder]) else { continue }
                config = found
            } catch {
                ignored.append("\(error.path) was ignored: \(error.cause)")
                continue
            }
            guard let type = config.modelType else {
                ignored.append("\(config.path) was ignored: it has no model_type")
                continue
            }
            modelType = type
            labels = config.labels
            paths.append(config.path)
            guard ModelFamilies.all.contains(where: { $0.modelTypes.contains(type) }),
                let preprocessing = try PreprocessorConfig(in: [folder])
            else { return }
            paths.append(preprocessing.path)
            try read(preprocessing)
            return
        }
    }

    private mutating func read(_ config: PreprocessorConfig) throws(ConfigError) {
        switch config.size {
        case .edges(let shortest, let longest)?:
            resize = ModelMetadata.Resize(shortest: shortest, longest: longest)
        case .exact(let width, let height)?:
            throw ConfigError(path: config.path, cause: "a size of exactly \(width)x\(height) is not supported")
        case nil: break
        }
        if let (mean, std) = config.normalization { normalization = ModelMetadata.Normalization(mean: mean, std: std) }
    }
}

extension ModelSignature {
    /// Describes the loaded model as a runtime would.
    package init(_ model: ONNXModel) {
        let defaults = Set(model.graph.initializers.map(\.name))
        func values(_ declarations: [ValueDeclaration]) -> [ValueInfo] {
            declarations.filter { !defaults.contains($0.name) }.map { value in
                guard case .tensor(let type, let shape)? = value.type else {
                    return ValueInfo(name: value.name, elementType: nil, dimensions: [])
                }
                return ValueInfo(
                    name: value.name, elementType: ElementType(rawValue: Int32(type.rawValue)),
                    dimensions: (shape ?? []).map { dimension in
                        switch dimension {
                        case .fixed(let size): size >= 0 ? .fixed(size) : .dynamic(nil)
                        case .named(let name): .dynamic(name)
                        case .unknown: .dynamic(nil)
                        }
                    })
            }
        }
        self.init(
            inputs: values(model.graph.inputs), outputs: values(model.graph.outputs),
            metadata: Dictionary(model.metadata.map { ($0.key, $0.value) }) { $1 })
    }
}
