package import Engine
internal import Imaging
internal import ONNX

/// Makes the tensor that a model sees for an image, for comparison with other programs. Needs no runtime.
package struct Preprocessor: Sendable {
    private let inputs: ModelInputs

    /// Prepares images as `model` expects them.
    ///
    /// - Parameters:
    ///   - family: the model's family; nil determines it from the model's file.
    ///   - type: the element type; nil for the model's own.
    package init(model: Model, family: Family? = nil, type: ElementType? = nil) throws(ApusError) {
        let recognized = try ModelFamilies.recognize(ModelDescription(model), chosen: family)
        inputs = try recognized.family.inputs.of(type)
    }

    /// Prepares images by this resize rule, with ImageNet's mean and deviation.
    package init(rule: ShortestEdge, type: ElementType) throws(ApusError) {
        let pixels = ValueInfo(
            name: "pixels", elementType: type, dimensions: [.fixed(1), .fixed(3), .dynamic(nil), .dynamic(nil)])
        inputs = try ModelInputs(
            pixels: pixels, resize: .shortestEdge(rule), format: PixelFormat(normalization: .imageNet))
    }

    /// The pixels as a tensor [1, 3, height, width].
    package func tensor(for image: Image) throws(ApusError) -> Tensor {
        try ApusError.wrapping(doing: "preprocess the image") {
            guard let pixels = try inputs.tensors(for: [image])[inputs.pixels.name] else {
                preconditionFailure("pixels are an input")
            }
            return pixels
        }
    }
}

extension ModelInputs {
    /// The same inputs with pixels of another type.
    fileprivate func of(_ type: ElementType?) throws(ApusError) -> ModelInputs {
        guard let type else { return self }
        var pixels = pixels
        pixels.elementType = type
        return try ModelInputs(
            pixels: pixels, auxiliary: auxiliary, resize: resize, interpolation: interpolation, format: format,
            fixedCanvas: fixedCanvas)
    }
}
