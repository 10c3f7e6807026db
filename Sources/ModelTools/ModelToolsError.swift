package import ONNX

/// Errors of the model tools are about a file: a checkpoint or a model.
package typealias ModelToolsError = ModelFileError
