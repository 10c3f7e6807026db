internal import Imaging
package import ONNXRuntime

/// Makes the tensor that a model sees of a picture, for comparing with other programs.
package struct Preprocessor: Sendable {
    private enum Source: Sendable {
        case model(any ModelFamily)
        case rule(ResizeRule, ElementType)
    }

    private let source: Source

    /// As `model` wants it, which is loaded for its description.
    package init(model: Model, runtime: String?) throws(ApusError) {
        source = try ApusError.wrapping(doing: "load the model \(model.name)") {
            let runtime = try Runtime.load(RuntimeLocation.find(explicit: runtime))
            let session = try Session(runtime: runtime, model: model.source, options: SessionOptions(provider: .cpu))
            return .model(
                try ModelFamilies.recognize(
                    ModelSignature(inputs: session.inputs, outputs: session.outputs, metadata: session.metadata)))
        }
    }

    /// As a DETR of this resize rule wants it: ImageNet's mean and deviation. Needs no model and no runtime.
    package init(rule: ResizeRule, type: ElementType) {
        source = .rule(rule, type)
    }

    /// The pixels as a tensor [1, 3, height, width].
    package func tensor(for image: Image) throws(ApusError) -> Tensor {
        try ApusError.wrapping(doing: "preprocess the picture") {
            switch source {
            case .model(let family):
                let size = family.inputSize(width: image.width, height: image.height)
                let inputs = try family.inputs(for: [image.bitmap.resized(width: size.width, height: size.height)])
                guard let pixels = inputs.values.first(where: { $0.shape.count == 4 }) else {
                    throw ApusError(.inference, doing: "preprocess the picture", cause: "the model takes no pixels")
                }
                return pixels
            case .rule(let rule, let type):
                let size = rule.size(width: image.width, height: image.height)
                let resized = image.bitmap.resized(width: size.width, height: size.height)
                return try PixelNormalizer.imageNet.tensor([resized], as: type, count: 1)
            }
        }
    }
}
