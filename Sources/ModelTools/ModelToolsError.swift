package import ONNX

/// What the model tools throw is about a file: a checkpoint, or a model.
package typealias ModelToolsError = ModelFileError
