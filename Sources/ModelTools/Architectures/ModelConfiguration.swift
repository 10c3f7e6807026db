internal import HuggingFaceConfig
internal import ONNX
internal import Remedies

/// The part of Hugging Face's `config.json` that weights don't contain.
package struct ModelConfiguration: Sendable {
    package var heads: Int?
    package var dilation: Bool?
    /// Names of the classes; nil if there are none, or only placeholders such as "LABEL_0".
    package var labels: [Int: String]?
    /// Features that the network needs and Apus doesn't export.
    private var unsupported: [String] = []

    private struct Content: Decodable {
        var encoderAttentionHeads: Int?
        var decoderAttentionHeads: Int?
        var dilation: Bool?
        var id2label: [String: String]?
        var activationFunction: String?
        var positionEmbeddingType: String?
        var modelType: String?
        var auxiliaryLoss: Bool?
        var backboneConfig: Backbone?
    }

    private struct Backbone: Decodable {
        var modelType: String?
        var hiddenAct: String?
        var downsampleInBottleneck: Bool?
        var downsampleInFirstStage: Bool?
    }

    /// The file next to a checkpoint; nil if there is none.
    package init?(besideCheckpoint path: String) throws(ModelToolsError) {
        let file: (content: Content, path: String)?
        do {
            file = try ModelConfig.decode(Content.self, in: ConfigFolders.beside(path))
        } catch {
            throw ModelToolsError(error)
        }
        guard let file else { return nil }
        self.init(file.content)
    }

    package init(json: [UInt8]) throws(ModelToolsError) {
        do {
            self.init(try ModelConfig.decode(Content.self, json: json))
        } catch {
            throw ModelToolsError(error)
        }
    }

    private init(_ content: Content) {
        if let type = content.modelType, type != "detr" { unsupported.append("model_type \(type)") }
        if let encoder = content.encoderAttentionHeads, let decoder = content.decoderAttentionHeads,
            encoder != decoder
        {
            unsupported.append("\(encoder) heads in the encoder and \(decoder) in the decoder")
        }
        if let activation = content.activationFunction, activation != "relu" {
            unsupported.append("activation_function \(activation)")
        }
        if let positions = content.positionEmbeddingType, positions != "sine" {
            unsupported.append("position_embedding_type \(positions)")
        }
        // With it, transformers normalizes the decoder's state after every layer, in inference too.
        if content.auxiliaryLoss == true { unsupported.append("auxiliary_loss true") }
        if let backbone = content.backboneConfig {
            if backbone.modelType == "resnet", let activation = backbone.hiddenAct, activation != "relu" {
                unsupported.append("a backbone with hidden_act \(activation)")
            }
            if backbone.downsampleInBottleneck == true {
                unsupported.append("a backbone with downsample_in_bottleneck")
            }
            if backbone.downsampleInFirstStage == true {
                unsupported.append("a backbone with downsample_in_first_stage")
            }
        }
        heads = content.encoderAttentionHeads ?? content.decoderAttentionHeads
        dilation = content.dilation
        labels = ModelConfig.labels(content.id2label)
    }

    /// Throws if the network is of a kind that Apus doesn't export.
    func check() throws(ModelToolsError) {
        guard unsupported.isEmpty else {
            throw ModelToolsError(
                .unsupported, "config.json has unsupported settings: \(unsupported.joined(separator: "; "))",
                remedy:
                    "Apus exports DETR with ReLU, sine positions and as many heads in the encoder as in the decoder.")
        }
    }
}
