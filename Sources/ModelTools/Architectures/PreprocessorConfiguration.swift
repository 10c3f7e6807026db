internal import HuggingFaceConfig
package import ONNX
internal import Remedies

/// How images are prepared for an exported network: as for the published DETR models, unless a `preprocessor_config.json` next to
/// the checkpoint specifies otherwise.
package struct PreprocessorConfiguration: Sendable {
    package var resize = ModelMetadata.Resize(shortest: 800, longest: 1333)
    package var normalization = ModelMetadata.Normalization.imageNet
    /// Whether `preprocessor_config.json` provides the resize rule; otherwise it is the published models'.
    package private(set) var hasOwnResize = false

    /// The published models' preprocessing.
    package init() {}

    package init(besideCheckpoint path: String) throws(ModelToolsError) {
        let config: PreprocessorConfig?
        do {
            config = try PreprocessorConfig(in: ConfigFolders.beside(path))
        } catch {
            throw ModelToolsError(error)
        }
        guard let config else { return }
        switch config.size {
        case .edges(let shortest, let longest)?:
            resize = ModelMetadata.Resize(shortest: shortest, longest: longest)
            hasOwnResize = true
        case .exact(let width, let height)?:
            throw ModelToolsError(
                .unsupported, "\(config.path) resizes images to \(width)x\(height), which DETR does not support",
                remedy: "Set shortest_edge and longest_edge there, or move the file away.")
        case nil: break
        }
        if let (mean, std) = config.normalization { normalization = ModelMetadata.Normalization(mean: mean, std: std) }
    }
}

extension ModelToolsError {
    init(_ error: ConfigError) {
        self.init(.malformed, "\(error.path): \(error.cause)", remedy: Remedy(error.remedy))
    }
}
