internal import Foundation
internal import ONNX

/// Hugging Face's `config.json`, as far as it says what weights do not.
package struct ModelConfiguration: Sendable {
    package var heads: Int?
    package var dilation: Bool?
    /// Names of the classes; nil if there are none, or only "LABEL_0" and so on.
    package var labels: [Int: String]?
    /// What the network would need and is not exported.
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

    /// The file beside a checkpoint; nil if there is none.
    package init?(besideCheckpoint path: String) throws(ModelToolsError) {
        guard let json = try SidecarFile.read("config.json", beside: path) else { return nil }
        try self.init(json: json)
    }

    package init(json: [UInt8]) throws(ModelToolsError) {
        let content: Content
        do {
            content = try SidecarFile.decoded(json)
        } catch {
            throw ModelToolsError(
                .malformed, "the config.json beside it cannot be read", remedy: "Correct it, or move it away.")
        }
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
        // With it, transformers norms the decoder's state after every layer, in inference too.
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
        let named = content.id2label?.filter { $0.value != "LABEL_\($0.key)" && $0.value != "N/A" } ?? [:]
        let pairs = named.compactMap { key, value in Int(key).map { ($0, value) } }
        labels = pairs.isEmpty ? nil : Dictionary(pairs) { $1 }
    }

    /// Throws if the network is of a kind that is not exported.
    func check() throws(ModelToolsError) {
        guard unsupported.isEmpty else {
            throw ModelToolsError(
                .unsupported, "config.json says: \(unsupported.joined(separator: "; "))",
                remedy:
                    "Apus exports DETR with ReLU, sine positions and as many heads in the encoder as in the decoder.")
        }
    }
}
