internal import Imaging
package import ONNXRuntime

/// Makes the tensor that a model sees of a picture, for comparing with other programs.
package struct Preprocessor: Sendable {
    private enum Source: Sendable {
        case model(any ModelFamily, ElementType?)
        case rule(ResizeRule, ElementType)
    }

    private let source: Source

    /// As `model` wants it, which is loaded for its description; `type` nil takes the model's own.
    package init(model: Model, runtime: String?, type: ElementType? = nil) throws(ApusError) {
        source = try ApusError.wrapping(doing: "load the model \(model.name)") {
            let runtime = try Runtime.load(RuntimeLocation.find(explicit: runtime))
            let session = try Session(checked: model.source, runtime: runtime, options: SessionOptions(provider: .cpu))
            return .model(try ModelFamilies.recognize(session, of: model), type)
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
            case .model(let family, let type):
                let inputs = try family.inputs(for: [image], on: nil)
                guard let pixels = inputs.values.first(where: { $0.shape.count == 4 }) else {
                    throw ApusError(
                        .inference, doing: "preprocess the picture", cause: "the model takes no pixels",
                        remedy: "Give a model that takes a picture [batch, 3, height, width].")
                }
                return try pixels.converted(to: type ?? pixels.elementType)
            case .rule(let rule, let type):
                let size = rule.size(width: image.width, height: image.height)
                let resized = image.bitmap.resized(width: size.width, height: size.height)
                return try PixelNormalizer.imageNet.tensor(
                    [resized], as: type, count: 1, width: size.width, height: size.height)
            }
        }
    }
}

extension Tensor {
    /// An f32 or f16 tensor as the other; rounds to nearest, ties to even.
    fileprivate func converted(to type: ElementType) throws -> Tensor {
        switch (elementType, type) {
        case (.float32, .float16): try Tensor(shape: shape, scalars: elements(of: Float.self).map { Float16($0) })
        case (.float16, .float32): try Tensor(shape: shape, scalars: elements(of: Float16.self).map { Float($0) })
        default: self
        }
    }
}
