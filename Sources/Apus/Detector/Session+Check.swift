internal import ONNX
package import ONNXRuntime

extension Session {
    /// Loads and compiles a model after the check of its structure. This is how every session is made: ONNX Runtime crashes
    /// on some files, and reads weights from wherever a model says.
    ///
    /// - Throws: `ModelFileError` if the check fails, `ONNXRuntimeError` if loading does.
    package convenience init(checked model: ModelSource, runtime: Runtime, options: SessionOptions) throws {
        try model.check(weightsFolder: options.weightsFolder)
        try self.init(runtime: runtime, model: model, options: options)
    }
}

extension ModelSource {
    fileprivate func check(weightsFolder: String?) throws(ModelFileError) {
        switch self {
        case .file(let path): try ModelStructure.check(file: path)
        case .bytes(let bytes): try ModelStructure(Bytes(bytes)).check(weightsFolder.map { ExternalFolder(folder: $0) })
        case .embedded: break  // our own
        }
    }
}
