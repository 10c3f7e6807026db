package import ONNX
internal import Remedies

/// Exports a checkpoint as a model.
package struct DETRExport: Sendable {
    package let weights: DETRWeights
    package let options: DETRExportOptions
    package let model: ONNXModel
    private let digest: BackgroundDigest

    /// What the file states in addition to the network.
    package struct Description: Sendable {
        /// Names of the classes, if known.
        package var labels: [Int: String]?
        package var preprocessing: PreprocessorConfiguration
        /// The version of Apus that writes it.
        package var version: String

        package init(labels: [Int: String]?, preprocessing: PreprocessorConfiguration, version: String) {
            self.labels = labels
            self.preprocessing = preprocessing
            self.version = version
        }
    }

    package init(
        _ checkpoint: Checkpoint, weights: DETRWeights, options: DETRExportOptions, description: Description
    ) throws(ModelToolsError) {
        self.weights = weights
        self.options = options
        try DETRExport.check(options, weights.architecture)
        var model = DETRExport.model(graph: try DETRGraph.build(weights, options), opset: options.opset)
        model.producerVersion = description.version
        model.metadata = DETRExport.metadata(checkpoint, description).entries
        let digest = BackgroundDigest(checkpoint.bytes)
        self.digest = digest
        model.lateMetadata = [.init(key: ModelMetadata.digestKey, byteCount: 64) { Array(digest.value.utf8) }]
        self.model = model
    }

    /// Starts hashing the checkpoint, whose digest the model contains, in parallel to the work before writing.
    package func startDigest() { digest.start() }

    /// The same network as in the reference implementation, operator by operator, from the same weights: the exported one is
    /// checked against it.
    package func reference() throws(ModelToolsError) -> ONNXModel {
        DETRExport.model(graph: try DETRReferenceGraph.build(weights, options), opset: 17)
    }

    private static func model(graph: Graph, opset: Int) -> ONNXModel {
        var model = ONNXModel()
        // The oldest IR version that allows the operators (onnx/docs/Versioning.md).
        model.irVersion = opset < 15 ? 7 : opset < 19 ? 8 : opset < 21 ? 9 : 10
        model.opsets = [("", opset)]
        model.producerName = "apus"
        model.graph = graph
        return model
    }

    private static func check(
        _ options: DETRExportOptions, _ architecture: DETRArchitecture
    ) throws(ModelToolsError) {
        func invalid(_ cause: BoundedText, _ remedy: Remedy) -> ModelToolsError {
            ModelToolsError(.option, cause, remedy: remedy)
        }
        guard DETRExportOptions.opsets.contains(options.opset) else {
            throw invalid(
                "opset \(options.opset) is not supported",
                "Choose one from \(DETRExportOptions.opsets.lowerBound) to \(DETRExportOptions.opsets.upperBound).")
        }
        guard (options.height == nil) == (options.width == nil) else {
            throw invalid(
                "only one side is fixed",
                "Set both \(setting: .height) and \(setting: .width), or neither.")
        }
        for (name, size) in [("height", options.height), ("width", options.width)] {
            guard let size else { continue }
            guard (architecture.stride...10_000).contains(size) else {
                throw invalid(
                    "a \(name) of \(size) pixels is not valid",
                    "Choose one from \(architecture.stride) to 10000 pixels.")
            }
        }
        guard options.batch.map({ (1...1024).contains($0) }) ?? true else {
            throw invalid("a batch of \(options.batch ?? 0) is not valid", "Choose one from 1 to 1024.")
        }
    }

    private static func metadata(_ checkpoint: Checkpoint, _ description: Description) -> ModelMetadata {
        var metadata = ModelMetadata()
        metadata.family = "detr"
        metadata.scoring = .softmax
        metadata.resize = description.preprocessing.resize
        metadata.normalization = description.preprocessing.normalization
        metadata.source = checkpoint.name
        metadata.version = description.version
        metadata.labels = description.labels
        return metadata
    }
}
